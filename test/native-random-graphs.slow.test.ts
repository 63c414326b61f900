/** Graphs of any shape on the native executor, others each time and many more; fast-check tells the seed of a failure. */
import { afterAll } from "vitest";
import { describeRandomGraphs, type Worst } from "./random-graphs.ts";

const all: Worst[] = [];
describeRandomGraphs({ milliseconds: 600, onWorst: (worst) => all.push(worst) });

afterAll(() => {
  const lines = all.map(({ test, error, runs }) => `${error.toExponential(1)} at worst in ${runs} runs: ${test}`);
  console.log(lines.join("\n"));
});
