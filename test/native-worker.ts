/** What native-threads.test.ts runs on a thread of its own: answers with the outputs of a run. */
import { parentPort, workerData } from "node:worker_threads";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { longRun, smallRun } from "./native-runs.ts";

if (workerData === "long") {
  const executor = nativeExecutor({ threads: 2 });
  const { executable, inputs } = await longRun(executor);
  const run = executable.run(inputs);
  parentPort!.postMessage("begun");
  await run;
} else {
  parentPort!.postMessage(await smallRun(nativeExecutor({ threads: 2 })));
}
