/** Graphs of any shape on the native executor, the same each time. */
import { describeRandomGraphs } from "./random-graphs.ts";

describeRandomGraphs({ seed: 1 });
