/** Runs of the native kernels that are stopped, and runs beside others and beside the rest of the process. */
import { getEventListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { setImmediate, setTimeout } from "node:timers/promises";
import { serialize } from "node:v8";
import { expect, test } from "vitest";
import { mapValues } from "../src/base/map-values.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { nativeKernels } from "../src/executors/native/optimizer.node.ts";
import { input, matmul, parameter } from "../src/graph/build.ts";
import type { Value } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { Updater } from "../src/train/updater.ts";
import { segmentsOf } from "../src/train/weights.ts";
import { describeNative, differences } from "./native-kernels.ts";
import type { Values } from "./operation-graphs.ts";
import { loadGraph, makeSentences, pretrainingBatch, SMALL, trainingGraph } from "./pretraining-run.ts";

const REASON = new Error("enough");
const UNTOUCHED = -7;

/** A chain of products, each a kernel and the next one's operand; the last goes into a buffer that is given. */
async function chain(products: number) {
  const [tokens, width] = [256, 512];
  let x = input("x", "float32", ["T", width]);
  const weight = parameter("weight", [width, width], "normal");
  for (let i = 0; i < products; i++) x = matmul(x, weight);
  const graph = makeGraph({ x });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 1 / Math.sqrt(width), 1);
  const executable = await nativeExecutor({ threads: 2 }).load(graph, parameters);
  const inputs = { x: { data: new Float32Array(tokens * width).fill(1), shape: [tokens, width] } };
  const output = new Float32Array(tokens * width).fill(UNTOUCHED);
  const run = (signal?: AbortSignal, x: Float32Array = output) => executable.run(inputs, { outputs: { x }, signal });
  return { executable, output, run };
}

describeNative("native executor, a run that is stopped", () => {
  test("ends before its next kernel, and the next run is as if there had been none", async () => {
    const { executable, output, run } = await chain(400); // a second's work, or several
    const controller = new AbortController();
    const stopped = run(controller.signal);
    await setImmediate();
    controller.abort(REASON);
    await expect(stopped).rejects.toBe(REASON);
    expect(output.every((number) => number === UNTOUCHED)).toBe(true);
    await run(new AbortController().signal);
    expect(output.includes(UNTOUCHED)).toBe(false);
    await executable.dispose();
  });

  test("does not begin where it waits for another", async () => {
    const { executable, output, run } = await chain(40);
    const controller = new AbortController();
    const first = run().then(() => output.slice());
    const waiting = run(controller.signal);
    controller.abort(REASON);
    const expected = await first;
    output.fill(UNTOUCHED);
    await expect(waiting).rejects.toBe(REASON);
    expect(output.every((number) => number === UNTOUCHED)).toBe(true);
    await run();
    expect(output).toEqual(expected);
    await executable.dispose();
  });

  test("leaves nothing behind that a later one could see, wherever it is stopped", async () => {
    const batch = pretrainingBatch(SMALL, makeSentences(SMALL, [40, 3, 17, 1, 26]));
    const executable = await loadGraph(nativeExecutor({ threads: 2 }), trainingGraph(SMALL));
    const expected = await executable.run(batch, { seed: 5 });
    let stopped = 0;
    // On a busy machine most runs may end before anybody stops them.
    for (let i = 0; i < 30 || (stopped <= 3 && i < 600); i++) {
      const controller = new AbortController();
      const run = executable.run(batch, { seed: 6, signal: controller.signal });
      await (i % 3 === 0 ? setTimeout((i % 30) / 10) : setImmediate());
      controller.abort(REASON);
      await run.catch(() => stopped++);
      expect(differences(await executable.run(batch, { seed: 5 }), expected)).toEqual([]);
    }
    expect(stopped).toBeGreaterThan(3);
    await executable.dispose();
  });

  test("takes its signal's listener along", async () => {
    const { executable, run } = await chain(40);
    const { signal } = new AbortController();
    const first = run(signal);
    await setImmediate();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await first;
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await executable.dispose();
  });

  test("makes no update: model and moments are as they were, and the next update is what it would have been", async () => {
    const config = { ...SMALL, hiddenSize: 96, intermediateSize: 201 };
    const { loss } = pretraining(config);
    const { parameters: specs } = trainingGraph(config);
    const batch = [makeSentences(config, [100, 73, 117]), makeSentences(config, [105, 122])];
    const train = async (disturb: boolean) => {
      const parameters = new Parameters(specs);
      initialise(parameters, 0.2, 7);
      const optimizer = new AdamW(segmentsOf(parameters, () => 1));
      let onPart: ((part: typeof batch) => void) | undefined;
      const trainable = {
        loss,
        inputs(part: typeof batch) {
          onPart?.(part);
          return pretrainingBatch(config, part.flat());
        },
        length: (part: (typeof batch)[number]) => part.reduce((sum, { ids }) => sum + ids.length, 0),
        nameOf: () => "a batch",
      };
      const options = { accumulate: 2, clipNorm: 1, seed: 3 };
      const updater = await Updater.load(trainable, { parameters, optimizer }, nativeExecutor({ threads: 2 }), options);
      for (let step = 0; step < 3; step++) {
        if (disturb) {
          const controller = new AbortController();
          const abort = () => controller.abort(REASON);
          onPart = ([part]) => {
            if (step === 0)
              abort(); // before the first part
            else if (step === 1 && part === batch[1])
              abort(); // between the two
            else if (step === 2) void setImmediate().then(abort); // in the middle of the first
          };
          await expect(updater.update(batch, step, 0.01, controller.signal)).rejects.toBe(REASON);
          onPart = undefined;
        }
        await updater.update(batch, step, 0.01);
      }
      await updater.dispose();
      return serialize({ parameters: parameters.buffer, state: optimizer.state });
    };
    expect((await train(true)).equals(await train(false))).toBe(true);
  });
});

describeNative("native executor, runs that wait", () => {
  test("cost no thread of libuv: a file is read meanwhile", async () => {
    const chains = await Promise.all(Array.from({ length: 4 }, () => chain(60)));
    const ended: string[] = [];
    const follow = (name: string, work: Promise<unknown>) => work.then(() => ended.push(name));
    const work = [...chains, ...chains].map(({ run }) => follow("run", run()));
    await setImmediate();
    await Promise.all([...work, follow("file", readFile(import.meta.filename))]);
    expect(ended).toHaveLength(9);
    // If those that wait kept the four threads, five would end before the file came to one.
    expect(ended.indexOf("file")).toBeLessThan(5);
    for (const { executable } of chains) await executable.dispose();
  });

  test("give what they give alone, whichever executables they are of", async () => {
    const batches = [[40, 3], [17], [1, 26, 5]].map((lengths) =>
      pretrainingBatch(SMALL, makeSentences(SMALL, lengths)),
    );
    const executables = await Promise.all(
      [1, 2, 2].map((threads) => loadGraph(nativeExecutor({ threads }), trainingGraph(SMALL))),
    );
    const expected: Values[] = [];
    for (const batch of batches) expected.push(await executables[0].run(batch, { seed: 5 }));
    const together = await Promise.all(
      executables.flatMap((executable) => batches.map((batch) => executable.run(batch, { seed: 5 }))),
    );
    expect(together.flatMap((values, i) => differences(values, expected[i % 3]))).toEqual([]);
    for (const executable of executables) await executable.dispose();
  });
});

describeNative("native executor, memory that is given away", (addon) => {
  /** As a message to another thread does it. */
  function give({ buffer }: { readonly buffer: ArrayBufferLike }): void {
    if (!(buffer instanceof ArrayBuffer)) throw new Error("shared memory stays");
    structuredClone(buffer, { transfer: [buffer] });
  }

  function sharedCopyOf(data: Value["data"]): Value["data"] {
    const memory = new SharedArrayBuffer(4 * data.length);
    const copy = data instanceof Int32Array ? new Int32Array(memory) : new Float32Array(memory);
    copy.set(data);
    return copy;
  }

  function expectToStay(values: Float32Array): void {
    const { length } = values;
    try {
      give(values); // Node 20 copies instead
    } catch (error) {
      expect(error).toMatchObject({ name: "DataCloneError" }); // as later ones say
    }
    expect(values).toHaveLength(length);
  }

  test("integers of the input may go as soon as a run was asked for; floats stay", async () => {
    const batch = pretrainingBatch(SMALL, makeSentences(SMALL, [40, 3, 17]));
    const executable = await loadGraph(nativeExecutor({ threads: 2 }), trainingGraph(SMALL));
    const expected = await executable.run(batch, { seed: 5 });
    const given = structuredClone(batch);
    const run = executable.run(given, { seed: 5 });
    for (const { data } of Object.values(given)) {
      if (data instanceof Float32Array) expectToStay(data);
      else give(data);
    }
    expect(given.ids.data).toHaveLength(0);
    expect(differences(await run, expected)).toEqual([]);
    await executable.dispose();
  });

  test("outputs and parameters stay", async () => {
    const graph = trainingGraph(SMALL);
    const parameters = new Parameters(graph.parameters);
    initialise(parameters, 0.2, 7);
    const gradients = parameters.like();
    const outputs = Object.fromEntries(gradients.views.map(({ spec, data }) => [spec.name, data]));
    const batch = pretrainingBatch(SMALL, makeSentences(SMALL, [40, 3, 17]));
    const executable = await nativeExecutor({ threads: 2 }).load(graph, parameters);
    const expected = structuredClone(await executable.run(batch, { seed: 5, outputs }));
    const run = executable.run(batch, { seed: 5, outputs });
    await setImmediate();
    for (const { buffer } of [parameters, gradients]) expectToStay(buffer);
    expect(differences(await run, expected)).toEqual([]);
    await executable.dispose();
  });

  test("what an optimizer works on stays", async () => {
    const length = 100_000;
    const optimizer = new AdamW([{ offset: 0, length, decay: true }], { kernels: nativeKernels({ threads: 2 }) });
    const [parameters, gradients] = [new Float32Array(length), new Float32Array(length).fill(1)];
    const step = optimizer.step(parameters, gradients, { learningRate: 0.1 });
    await setImmediate();
    const { m, v } = optimizer.state;
    for (const buffer of [parameters, gradients, m, v]) expectToStay(buffer);
    await step;
    expect(parameters.every((value) => value === Math.fround(-0.1))).toBe(true);
  });

  test("what went before the run is refused", async () => {
    const { executable, output, run } = await chain(1);
    give(output);
    await expect(run()).rejects.toMatchObject({ code: "INPUT_SHAPE" });
    const buffer = new ArrayBuffer(64);
    give({ buffer });
    const begin = () => addon.run(0, new addon.Pool(1), new Float64Array(0), [buffer]);
    expect(begin).toThrow("a buffer of the run was transferred");
    await executable.dispose();
  });

  test("floats in memory that threads share are copied", async () => {
    const batch = pretrainingBatch(SMALL, makeSentences(SMALL, [40, 3, 17]));
    const executable = await loadGraph(nativeExecutor({ threads: 2 }), trainingGraph(SMALL));
    const expected = await executable.run(batch, { seed: 5 });
    const shared = mapValues(batch, ({ data, shape }) => ({ data: sharedCopyOf(data), shape }));
    expect(differences(await executable.run(shared, { seed: 5 }), expected)).toEqual([]);
    await executable.dispose();
  });

  test("a result may be written over an input", async () => {
    const { executable, output, run } = await chain(1);
    await run();
    const inPlace = new Float32Array(output.length).fill(1); // as the chain's own input
    await executable.run({ x: { data: inPlace, shape: [256, 512] } }, { outputs: { x: inPlace } });
    expect(inPlace).toEqual(output);
    await executable.dispose();
  });

  test("nor is an output in memory that threads share written", async () => {
    const { executable, run } = await chain(1);
    const shared = new Float32Array(new SharedArrayBuffer(4 * 256 * 512));
    await expect(run(undefined, shared)).rejects.toMatchObject({ code: "INPUT_SHAPE" });
    await run();
    await executable.dispose();
  });
});
