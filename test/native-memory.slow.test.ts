import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { activation, input, linear, parameter, softmaxCrossEntropy } from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Executor, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { describeNative } from "./native-kernels.ts";

const EXECUTABLES = 10_000;
/** Executables after which the heap, the pool and the allocator have what they keep. */
const WARM_UP = 1000;
/**
 * What the second half may take more: allocators vary by 1 MiB. 5,000 arenas of these executables are over 450 MiB; 1 KiB
 * lost with each is 5 MiB.
 */
const SLACK = { native: 3 * 2 ** 20, heap: 2 ** 20 };

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/**
 * Memory when what nobody holds any more is gone; external memory goes a turn of the event loop later. Of the resident
 * memory, what V8 reserved for its heap is left out: it grows in steps of 16 MiB, whatever is in it.
 */
async function memory(): Promise<{ native: number; heap: number }> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return { native: rss - heapTotal, heap: heapUsed };
}

/** Makes an executable with an arena and, if frozen, packed weights; runs it twice; disposes it, or only lets it go. */
async function useOne(executor: Executor, i: number): Promise<number> {
  const x = input("x", "float32", ["T", 64]);
  const wide = activation(linear(x, parameter("w", [96, 64], "normal"), parameter("b", [96], "zeros")), "gelu"); // [T, 96]
  const logits = linear(wide, parameter("v", [10, 96], "normal"), parameter("c", [10], "zeros")); // [T, 10]
  const loss = softmaxCrossEntropy(logits, input("labels", "int32", ["T"]), input("weights", "float32", ["T"]));
  const graph = makeGraph({ loss, ...parameterGradients(loss) });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.1, 1);
  const executable = await executor.load(graph, parameters, { frozen: i % 2 === 0 });
  let sum = 0;
  for (const tokens of [5, 60]) {
    const values = await executable.run({
      x: { data: new Float32Array(tokens * 64).fill(0.25), shape: [tokens, 64] },
      labels: vector(new Int32Array(tokens)),
      weights: vector(new Float32Array(tokens).fill(1 / tokens)),
    });
    sum += values.loss.data[0];
  }
  if (i % 4 < 3) await executable.dispose();
  return sum;
}

describeNative("native executor, memory", () => {
  test(`stays flat over ${EXECUTABLES} executables`, async () => {
    const executor = nativeExecutor({ threads: 2 });
    const first = await useOne(executor, 0);
    for (let i = 0; i < WARM_UP; i++) await useOne(executor, i);
    const used = [await memory()];
    let different = 0;
    for (let i = 0; i < EXECUTABLES; i++) {
      different += Number((await useOne(executor, i)) !== first);
      if ((i + 1) % (EXECUTABLES / 2) === 0) used.push(await memory());
    }
    expect(different).toBe(0);
    const [early, late] = [1, 2].map((half) => ({
      native: used[half].native - used[half - 1].native,
      heap: used[half].heap - used[half - 1].heap,
    }));
    for (const [half, { native, heap }] of Object.entries({ first: early, second: late })) {
      const [resident, used] = [native, heap].map((bytes) => (bytes / 2 ** 20).toFixed(1));
      console.log(
        `in the ${half} half of ${EXECUTABLES} executables: ${resident} MiB more resident memory, ${used} MiB more heap`,
      );
    }
    // In the first half allocators may still come to hold back what they keep.
    expect(late.native).toBeLessThan(SLACK.native);
    expect(late.heap).toBeLessThan(SLACK.heap);
  });
});
