/** The native kernels beside JavaScript: the event loop, and threads of Node. */
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { nativeKernels } from "../src/executors/native/optimizer.node.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { Lamb } from "../src/optim/lamb.ts";
import { describeNative, differences } from "./native-kernels.ts";
import { longRun, smallRun } from "./native-runs.ts";
import type { Values } from "./operation-graphs.ts";

/** What `smallRun` gives on a thread of Node that loads the kernels anew, and ends. */
async function runOnThread(): Promise<Values> {
  const program = new URL("./native-worker.ts", import.meta.url).href;
  const worker = new Worker(
    `import("tsx/esm/api").then(({ tsImport }) => tsImport("${program}", "${import.meta.url}"))`,
    { eval: true },
  );
  const answers: Values[] = [];
  worker.on("message", (values: Values) => answers.push(values));
  const code = await new Promise<number>((resolve, reject) => {
    worker.on("error", reject);
    worker.on("exit", resolve);
  });
  expect({ code, answers: answers.length }).toEqual({ code: 0, answers: 1 });
  return answers[0];
}

describeNative("native executor, threads", () => {
  test("the event loop turns while a run computes", async () => {
    let seconds = 0;
    const onCalls = (calls: readonly { seconds: number }[]) => {
      seconds = calls.reduce((sum, call) => sum + call.seconds, 0);
    };
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 1 }));
    const turns = await turnsDuring(executable.run(inputs, { onCalls }), 5);
    // A run on the event loop would leave it at most one turn, however long it takes.
    expect(seconds).toBeGreaterThan(0.05);
    expect(turns).toBeGreaterThanOrEqual(3);
    await executable.dispose();
  });

  test.each([AdamW, Lamb])("the event loop turns while %o makes a step", async (Optimizer) => {
    const length = 20_000_000;
    const segments = [true, false].map((decay, i) => ({ offset: (i * length) / 2, length: length / 2, decay }));
    const optimizer = new Optimizer(segments, { kernels: nativeKernels({ threads: 1 }) });
    const [parameters, gradients] = [new Float32Array(length), new Float32Array(length).fill(1)];
    const turns = await turnsDuring(optimizer.step(parameters, gradients, { learningRate: 0.1 }), 1);
    // A step on the event loop would leave it none.
    expect(turns).toBeGreaterThan(0);
    for (const { offset } of segments) expect(parameters[offset]).toBeCloseTo(-0.1, 5);
  });

  test("a step waits for a run that was asked for before it, while the event loop turns", async () => {
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 1 }));
    const optimizer = new AdamW([{ offset: 0, length: 3, decay: true }], { kernels: nativeKernels({ threads: 1 }) });
    const ended: string[] = [];
    const follow = async (name: string, work: Promise<unknown>) => {
      await work;
      ended.push(name);
    };
    const all = [
      follow("run", executable.run(inputs)),
      follow("step", optimizer.step(new Float32Array(3), new Float32Array(3), { learningRate: 0.1 })),
      follow("turn", setTimeout(1)),
    ];
    await Promise.all(all);
    expect(ended).toEqual(["turn", "run", "step"]);
    await executable.dispose();
  });

  test("threads of a pool sleep between runs", async () => {
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 3 }));
    await executable.run(inputs);
    await setTimeout(50); // what JavaScript has left to do
    const idle = 300;
    const before = process.cpuUsage();
    await setTimeout(idle);
    const { user, system } = process.cpuUsage(before);
    // One thread that spins would use all of it; those of V8 may have something left to do.
    expect((user + system) / 1000).toBeLessThan(idle / 2);
    await executable.dispose();
  });

  test("threads of Node load the kernels beside the main one, at the same time and again, and end without it", async () => {
    const expected = await smallRun(nativeExecutor({ threads: 2 }));
    const [first, second, here] = await Promise.all([
      runOnThread(),
      runOnThread(),
      smallRun(nativeExecutor({ threads: 2 })),
    ]);
    for (const values of [first, second, here]) expect(differences(values, expected)).toEqual([]);
    expect(differences(await smallRun(nativeExecutor({ threads: 2 })), expected)).toEqual([]);
    expect(differences(await runOnThread(), expected)).toEqual([]);
  });
});

/** How often the event loop comes around, so many milliseconds apart, before the work ends. */
async function turnsDuring(work: Promise<unknown>, milliseconds: number): Promise<number> {
  let ended = false;
  const ending = work.finally(() => {
    ended = true;
  });
  let turns = 0;
  while (!ended) {
    await setTimeout(milliseconds);
    turns += Number(!ended);
  }
  await ending;
  return turns;
}
