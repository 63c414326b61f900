import { describe, expect, it } from "vitest";
import { Random } from "../src/base/random.ts";
import { type BertConfig, presetConfig, withoutDropout } from "../src/bert/config.ts";
import { joinSequences } from "../src/data/sequences.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import type { Executor } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { sequenceClassification } from "../src/heads/sequence-classification.ts";
import { MaskedLanguageModel, maskedLmParameters } from "../src/tasks/words/masked-language-model.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { describeBfloat16, describeInt8, describeNative, forEachSet, nativeOn } from "./native-kernels.ts";
import { relativeError } from "./relative-error.ts";

/** Around every size at which a kernel changes its way of working. */
const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 100, 127, 128, 200, 257, 300, 511];
const VOCABULARY = 1000;
const LABELS = 3;

const CONFIGS: Record<string, BertConfig> = {
  tiny: presetConfig("tiny", VOCABULARY),
  mini: presetConfig("mini", VOCABULARY),
  "as wide as base": { ...presetConfig("base", VOCABULARY), layers: 1 },
  "odd sizes": { ...presetConfig("tiny", VOCABULARY), hiddenSize: 36, heads: 4, intermediateSize: 37, layers: 3 },
};

const random = Random.of(1, "sentences");
const sentences = LENGTHS.map((length) => ({
  ids: Int32Array.from({ length }, () => random.below(VOCABULARY)),
  typeIds: Int32Array.from({ length }, (_, i) => Number(i > length / 2)),
}));

/** Batches that everything is in several times, beside others and in other orders. */
function batchesOf(all: readonly number[]): number[][] {
  return [[...all], all.toReversed(), random.shuffle([...all]), ...all.map((i) => [i, random.below(all.length)])];
}

/** Logits of each sentence when these are one batch. */
async function classifier(config: BertConfig, executor: Executor) {
  const { logits } = sequenceClassification(withoutDropout(config), { labels: LABELS });
  const graph = makeGraph({ logits });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.05, 7);
  const executable = await executor.load(graph, parameters, { frozen: true });
  return async (batch: readonly number[]): Promise<Float32Array[]> => {
    const { logits: values } = await executable.run(joinSequences(batch.map((i) => sentences[i])));
    return batch.map((_, row) => Float32Array.from(values!.data.slice(row * LABELS, (row + 1) * LABELS)));
  };
}

/** Executors with some number of threads. */
type Open = (options: { readonly threads: number }) => Executor;

/** The logits of all sentences in one batch. */
async function logitsOf(config: BertConfig, executor: Executor): Promise<Float32Array[]> {
  return (await classifier(config, executor))([...sentences.keys()]);
}

for (const [name, config] of Object.entries(CONFIGS)) {
  describeIndependence(`onnx, ${name}`, config, onnxExecutor);

  it(`a sentence gets the same up to 1e-5 with another number of threads, onnx, ${name}`, async () => {
    const [one, two] = [
      await logitsOf(config, onnxExecutor({ threads: 1 })),
      await logitsOf(config, onnxExecutor({ threads: 2 })),
    ];
    one.forEach((row, i) => {
      expect(relativeError(row, two[i])).toBeLessThan(1e-5);
    });
  });
}

describeNative("the native executor", (addon) => {
  const narrow = Object.entries(CONFIGS).filter(([, { hiddenSize }]) => hiddenSize <= 128);
  forEachSet(addon, (set) => {
    const open: Open = (options) => nativeOn(set, options);
    const configs = set === addon.instructionSets[0] ? Object.entries(CONFIGS) : narrow; // the others are slow, and the same code as on the best one
    for (const [name, config] of configs) {
      describeIndependence(`native ${set.name}, ${name}`, config, open);
      describeThreads(`native ${set.name}, ${name}`, config, open);
    }
  });
  for (const [name, config] of narrow) {
    describeBfloat16(`bf16, ${name}`, addon, (set) =>
      describeThreads(name, config, (options) => nativeOn(set, { ...options, precision: "bf16" })),
    );
    describeInt8(`int8, ${name}`, addon, (set) =>
      describeThreads(name, config, (options) => nativeOn(set, { ...options, precision: "int8" })),
    );
  }
});

function describeThreads(name: string, config: BertConfig, open: Open): void {
  it(`a sentence gets the same bits with 1, 2 and 3 threads, ${name}`, async () => {
    const one = await logitsOf(config, open({ threads: 1 }));
    for (const threads of [2, 3]) expect(await logitsOf(config, open({ threads }))).toEqual(one);
  });
}

function describeIndependence(name: string, config: BertConfig, open: Open): void {
  describe(`a sentence in a batch, ${name}`, () => describeSentences(config, open));
  describe(`a mask in a batch, ${name}`, () => describeMasks(config, open));
}

function describeSentences(config: BertConfig, open: Open): void {
  it("gets the bits that it gets alone, whatever its neighbours and their order", async () => {
    const logits = await classifier(config, open({ threads: 2 }));
    const alone: Float32Array[] = [];
    for (let i = 0; i < sentences.length; i++) alone.push((await logits([i]))[0]);
    for (const batch of batchesOf([...sentences.keys()])) {
      expect(await logits(batch)).toEqual(batch.map((i) => alone[i]));
    }
  });
}

function describeMasks(config: BertConfig, open: Open): void {
  /** Short ones: what is tested is the head, which sees the masks alone. Every third sentence has more than one. */
  const masked = sentences
    .filter(({ ids }, i) => i % 2 === 0 && ids.length < 130)
    .map((sentence, i) => ({
      ...sentence,
      positions: i % 3 < 2 ? [0] : [0, sentence.ids.length >> 1, sentence.ids.length - 1],
    }));

  it("gets the bits that it gets alone, be it a batch's only mask", async () => {
    const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    const words = Array.from({ length: VOCABULARY - special.length }, (_, i) => `word${i}`);
    const tokenizer = BertTokenizer.fromVocabulary([...special, ...words]);
    const parameters = new Parameters(maskedLmParameters(config));
    initialise(parameters, 0.05, 7);
    const model = await MaskedLanguageModel.load({ config, parameters, tokenizer }, open({ threads: 2 }));
    const logits = (batch: readonly number[]) =>
      model.predict(
        batch.map((i) => masked[i]),
        (row) => Float32Array.from(row),
      );
    const alone: Float32Array[][] = [];
    for (let i = 0; i < masked.length; i++) alone.push(...(await logits([i])));
    for (const batch of batchesOf([...masked.keys()])) {
      expect(await logits(batch)).toEqual(batch.map((i) => alone[i]));
    }
    await model.dispose();
  });
}
