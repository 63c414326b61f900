/** What the native executor promises beyond the contract of all executors: equal bytes, fusion, threads, refusals. */
import { describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import type { BertConfig } from "../src/bert/config.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { activation, attention, input, layerNorm, linear, parameter, softmaxCrossEntropy } from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Value, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import type { Tensor } from "../src/graph/operations.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { expectError } from "./expect-error.ts";
import { describeNative, describeWays, differences, nativeOn } from "./native-kernels.ts";
import type { Values } from "./operation-graphs.ts";
import { inferenceGraph, loadGraph, makeSentences, pretrainingBatch, SMALL, trainingGraph } from "./pretraining-run.ts";
import { relativeError } from "./relative-error.ts";

/** 13 sequences of as many lengths, each of which ends in the middle of a block of 12 or 6 rows. */
const LENGTHS = [40, 1, 13, 2, 31, 7, 38, 3, 25, 11, 5, 17, 33];

/** Models and batches, from one whose products are a task each to one whose products are cut into many. */
const TRAININGS: readonly (readonly [string, BertConfig, readonly number[]])[] = [
  ["a small BERT", SMALL, LENGTHS],
  [
    "700 tokens of a wider one",
    { ...SMALL, layers: 2, hiddenSize: 96, intermediateSize: 201, vocabSize: 1301 },
    [128, 97, 64, 1, 110, 65, 90, 12, 133],
  ],
];

const ACTIVATIONS = ["gelu", "gelu_new", "relu", "silu", "tanh"] as const;

/** More than four blocks of 64, of which sums over rows are made, and more than a product's inner block of 256. */
const WIDE_ROWS = 300;

/**
 * Layers whose products have more inner indices than one block: 256 in float32, 1,024 in bfloat16. Products that give
 * gradients of weights sum over rows, and cross a block in float32 alone.
 */
function wideLayers() {
  const [width, wider, output] = [1100, 1301, 1027];
  const dense = (name: string, x: Tensor, from: number, to: number) =>
    linear(x, parameter(`${name}.weight`, [to, from], "normal"), parameter(`${name}.bias`, [to], "normal"));
  const x = activation(dense("first", input("x", "float32", ["T", width]), width, wider), "gelu"); // [T, 1301]
  const y = dense("second", x, wider, output); // [T, 1027]
  const labels = input("labels", "int32", ["T"]);
  const loss = softmaxCrossEntropy(dense("last", y, output, 5), labels, input("weights", "float32", ["T"]));
  const parameters = new Parameters(makeGraph({ loss }).parameters);
  initialise(parameters, 0.03, 7);
  const random = Random.of(1, "rows");
  const inputs = {
    x: { data: Float32Array.from({ length: WIDE_ROWS * width }, () => random.normal()), shape: [WIDE_ROWS, width] },
    labels: vector(Int32Array.from({ length: WIDE_ROWS }, (_, i) => i % 5)),
    weights: vector(new Float32Array(WIDE_ROWS).fill(1 / WIDE_ROWS)),
  };
  return { y, loss, parameters, inputs };
}

function rowsOf({ data, shape }: Value, from: number, to: number): Value {
  return { data: data.slice(from * shape[1], to * shape[1]), shape: [to - from, shape[1]] };
}

const lossOf = (values: Values) => values.loss.data[0];

describeNative("native executor", (addon) => {
  describe("any number of threads gives the same bytes", () => {
    describeWays(addon, (open) => {
      test.each(TRAININGS)("for the loss and all gradients of %s with dropout", async (_, config, lengths) => {
        const graph = trainingGraph(config);
        const batch = pretrainingBatch(config, makeSentences(config, lengths));
        const one = await loadGraph(open({ threads: 1 }), graph);
        const expected = await one.run(batch, { seed: 5 });
        expect(lossOf(expected)).toBeGreaterThan(1);
        // The gradients are numbers that depend on what is dropped: nothing is equal because nothing was computed.
        const others = differences(await one.run(batch, { seed: 6 }), expected);
        expect(others).toEqual(expect.arrayContaining(["loss", ...graph.parameters.map(({ name }) => name)]));
        for (const threads of [2, 3]) {
          const executable = await loadGraph(open({ threads }), graph);
          for (let repetition = 0; repetition < 3; repetition++) {
            expect(differences(await executable.run(batch, { seed: 5 }), expected), `${threads} threads`).toEqual([]);
          }
          await executable.dispose();
        }
        await one.dispose();
      });

      test.each(TRAININGS)("for the logits of %s", async (_, config, lengths) => {
        const batch = pretrainingBatch(config, makeSentences(config, lengths));
        const run = async (threads: number) => {
          const executable = await loadGraph(open({ threads }), inferenceGraph(config), true);
          const values = await executable.run(batch);
          await executable.dispose();
          return values;
        };
        const expected = await run(1);
        expect(new Set(expected.words.data).size).toBeGreaterThan(expected.words.data.length / 100);
        expect(differences(await run(2), expected)).toEqual([]);
        expect(differences(await run(3), expected)).toEqual([]);
      });
    });
  });

  describe("layers wider than an inner block", () => {
    const { y, loss, parameters, inputs } = wideLayers();

    describeWays(addon, (open) => {
      test("give the same bytes with any number of threads, forward and backward", async () => {
        const graph = makeGraph({ y, loss, ...parameterGradients(loss) });
        const run = async (threads: number) => {
          const executable = await open({ threads }).load(graph, parameters);
          const values = await executable.run(inputs);
          await executable.dispose();
          return values;
        };
        const expected = await run(1);
        expect(lossOf(expected)).toBeGreaterThan(0.1);
        for (const threads of [2, 3])
          expect(differences(await run(threads), expected), `${threads} threads`).toEqual([]);
      });

      test("give a row the bytes that it gets beside others", async () => {
        const executable = await open({ threads: 2 }).load(makeGraph({ y }), parameters, { frozen: true });
        const all = await executable.run(inputs);
        expect(new Set(all.y.data).size).toBeGreaterThan(WIDE_ROWS);
        for (const [from, to] of [
          [0, 1],
          [130, 131],
          [299, 300],
          [5, 18],
          [63, 200],
        ]) {
          // one, some, blocks of 64
          const some = await executable.run({ x: rowsOf(inputs.x, from, to) });
          expect(differences(some, { y: rowsOf(all.y, from, to) }), `rows ${from} to ${to}`).toEqual([]);
        }
        await executable.dispose();
      });
    });
  });

  describe("a number that is none", () => {
    /** Two sequences of two tokens of seven numbers; one number of the second token is none. */
    const [tokens, width] = [4, 7];
    const data = Float32Array.from({ length: tokens * width }, (_, i) => (i === width + 3 ? Number.NaN : Math.sin(i)));
    const x = input("x", "float32", ["T", width]);
    const dense = (name: string) => linear(x, parameter(`${name}.weight`, [width, width], "normal"), zeros(name)); // [T, 7]
    const zeros = (name: string) => parameter(`${name}.bias`, [width], "zeros");
    const norm = layerNorm(x, parameter("norm.weight", [width], "ones"), zeros("norm"), 1e-5);
    const outputs: Record<string, Tensor> = {
      linear: dense("linear"),
      norm,
      attention: attention({ query: x, key: x, value: x, lengths: input("lengths", "int32", ["B"]) }, { heads: 1 }),
      ...Object.fromEntries(ACTIVATIONS.map((kind) => [kind, activation(x, kind)])),
      ...Object.fromEntries(ACTIVATIONS.map((kind) => [`${kind} of a product`, activation(dense(kind), kind)])),
    };

    describeWays(addon, (open) => {
      test.each(Object.entries(outputs))("stays visible behind %s, in its own sequence alone", async (_, y) => {
        const graph = makeGraph({ y });
        const parameters = new Parameters(graph.parameters);
        initialise(parameters, 0.5, 3);
        const executable = await open({ threads: 2 }).load(graph, parameters, { frozen: true });
        const values = { x: { data, shape: [tokens, width] }, lengths: vector(Int32Array.of(2, 2)) };
        const given = Object.entries(values).filter(([name]) => graph.inputs.some((spec) => spec.name === name));
        const result = (await executable.run(Object.fromEntries(given))).y.data;
        expect(result[width + 3]).toBeNaN();
        expect(result.subarray(2 * width)).toSatisfy((others: Float32Array) => others.every(Number.isFinite));
        await executable.dispose();
      });
    });
  });

  describe("a sentence in a batch", () => {
    /** Around every size at which a kernel changes its way of working. */
    const lengths = [1, 2, 3, 5, 6, 7, 11, 12, 13, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65, 95, 96, 97, 130];
    const configs: readonly (readonly [string, BertConfig])[] = [
      ["small", { ...SMALL, layers: 2 }],
      ["odd sizes", { ...SMALL, layers: 2, hiddenSize: 36, intermediateSize: 45 }],
    ];

    describeWays(addon, (open) => {
      test.each(configs)("gets the bytes that it gets alone, %s", async (_, config) => {
        const sentences = makeSentences(config, lengths);
        const executable = await loadGraph(open({ threads: 2 }), inferenceGraph(config), true);
        /** Of each sentence of a batch, the logits of all its tokens and of what follows it. */
        const predict = async (batch: readonly number[]): Promise<Values[]> => {
          const chosen = batch.map((i) => sentences[i]);
          const values = await executable.run(pretrainingBatch(config, chosen, { maskAll: true }));
          let token = 0;
          return chosen.map(({ ids }, row) => {
            const words = values.words.data.slice(token * config.vocabSize, (token + ids.length) * config.vocabSize);
            token += ids.length;
            const nextSentence = values.nextSentence.data.slice(2 * row, 2 * row + 2);
            return {
              words: { data: words, shape: [ids.length, config.vocabSize] },
              nextSentence: { data: nextSentence, shape: [2] },
            };
          });
        };
        const alone: Values[] = [];
        for (const i of sentences.keys()) alone.push(...(await predict([i])));
        expect(alone.flatMap((values, i) => differences(values, alone[(i + 1) % alone.length]))).toHaveLength(
          2 * alone.length,
        );
        const all = [...sentences.keys()];
        const random = Random.of(1, "neighbours");
        const pairs = all.map((i) => [i, random.below(all.length)]);
        for (const batch of [all, all.toReversed(), random.shuffle([...all]), ...pairs]) {
          const together = await predict(batch);
          expect(batch.filter((i, row) => differences(together[row], alone[i]).length > 0)).toEqual([]);
        }
        await executable.dispose();
      });
    });
  });

  describe("executables on one pool", () => {
    const graph = trainingGraph(SMALL);
    const batches = [LENGTHS, LENGTHS.slice(0, 4), LENGTHS.slice(5)].map((lengths) =>
      pretrainingBatch(SMALL, makeSentences(SMALL, lengths)),
    );

    test("that run at the same time give what they give alone", async () => {
      const open = (threads: number) => loadGraph(nativeExecutor({ threads }), graph);
      const alone = await open(2);
      const expected: Values[] = [];
      for (const batch of batches) expected.push(await alone.run(batch, { seed: 5 }));
      // More than libuv has threads, and one on another pool.
      const executables = await Promise.all([2, 2, 2, 2, 2, 3].map(open));
      const rounds = Array.from({ length: 4 }, (_, round) => round);
      const together = await Promise.all(
        executables.flatMap((executable, e) =>
          rounds.map(async (round) => {
            const i = (e + round) % batches.length;
            return differences(await executable.run(batches[i], { seed: 5 }), expected[i]);
          }),
        ),
      );
      expect(together.flat()).toEqual([]);
      await Promise.all([alone, ...executables].map((executable) => executable.dispose()));
    });

    test("run in the order of the calls, a refused run among them or not", async () => {
      const executable = await loadGraph(nativeExecutor({ threads: 2 }), graph);
      const ended: string[] = [];
      const follow = (name: string, run: Promise<unknown>) =>
        run.then(
          () => ended.push(name),
          () => ended.push(`${name} refused`),
        );
      const [long, short] = batches;
      await Promise.all([
        follow("long", executable.run(long, { seed: 1 })),
        follow("short", executable.run(short, { seed: 1 })),
        follow("seedless", executable.run(short)),
        follow("last", executable.run(short, { seed: 1 })),
        follow("disposal", executable.dispose()),
      ]);
      expect(ended).toEqual(["long", "short", "seedless refused", "last", "disposal"]);
    });
  });

  describe("a run that is refused calls no kernel and writes nothing", () => {
    const graph = trainingGraph(SMALL);
    const batch = pretrainingBatch(SMALL, makeSentences(SMALL, LENGTHS.slice(0, 3)));
    const withNumber = (name: string, at: number, number: number) => {
      const data = Int32Array.from(batch[name].data);
      data[at] = number;
      return { ...batch, [name]: vector(data) };
    };

    test.each([
      ["an id beyond the vocabulary", withNumber("ids", 53, 99)],
      ["a negative id", withNumber("ids", 0, -1)],
      ["the largest id", withNumber("ids", 7, 2 ** 31 - 1)],
      ["a third segment", withNumber("typeIds", 4, 2)],
      ["a masked position beyond the tokens", withNumber("maskedPositions", 1, 54)],
      ["a masked label beyond the vocabulary", withNumber("maskedLabels", 0, 99)],
      ["a label beyond the two of pairs", withNumber("nextSentence", 2, 2)],
      ["an empty sequence", withNumber("lengths", 1, 0)],
      ["lengths of more tokens than there are", withNumber("lengths", 2, 14)],
    ])("for %s", async (_, inputs) => {
      let runs = 0;
      const executor = nativeExecutor({ threads: 2 });
      const executable = await loadGraph(executor, graph);
      const loss = Float32Array.of(-7);
      const options = { seed: 1, outputs: { loss }, onCalls: () => runs++ };
      await expectError(executable.run(inputs, options), "ID_OUT_OF_RANGE");
      expect({ runs, loss: loss[0] }).toEqual({ runs: 0, loss: -7 });
      await executable.run(batch, options);
      expect(runs).toBe(1);
      expect(loss[0]).toBeGreaterThan(1);
      await executable.dispose();
    });
  });

  test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])("the seed %d drops what the reference drops", async (seed) => {
    const config = { ...SMALL, layers: 1 };
    const batch = pretrainingBatch(config, makeSentences(config, LENGTHS.slice(0, 3)));
    const [expected, actual] = await Promise.all(
      [referenceExecutor, nativeExecutor()].map(async (executor) =>
        (await loadGraph(executor, trainingGraph(config))).run(batch, { seed }),
      ),
    );
    expect(relativeError(actual.loss.data, expected.loss.data)).toBeLessThan(1e-5);
  });

  describe("CLOZE_ISA", () => {
    test("chooses the instruction set, and with it whether there is bfloat16", () => {
      const names = addon.instructionSets.map((set) => nativeOn(set, { precision: "bf16" }).name);
      const types = addon.instructionSets.map(({ bfloat16 }) => (bfloat16 ? "bfloat16" : "float32"));
      expect(names).toEqual(types.map((type) => `native ${type}`));
      expect(types.at(-1)).toBe("float32"); // what every processor has
    });

    test("is refused where it names none that the processor has", async () => {
      const open = async () => nativeOn({ name: "abacus" });
      const names = addon.instructionSets.map(({ name }) => name).join(", ");
      await expectError(open(), "OPTION_INVALID", "CLOZE_ISA", `expected ${names}`, "got abacus");
    });
  });
});
