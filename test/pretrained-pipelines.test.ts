/** What a pre-trained model answers without fine-tuning, from a folder, as programs ask for it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { joinSequences } from "../src/data/sequences.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import type { NamedTensor } from "../src/formats/safetensors.ts";
import { readSafetensors } from "../src/formats/safetensors-file.node.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { Parameters, sizeOf } from "../src/graph/parameters.ts";
import { nextSentence } from "../src/heads/next-sentence.ts";
import { loadWeights, purposeOf } from "../src/tasks/folder/model-folder.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { softmax } from "../src/tasks/run/softmax.ts";
import type { FillMaskPipeline } from "../src/tasks/words/fill-mask.ts";
import { type NextSentencePipeline, nextSentenceParameters } from "../src/tasks/words/next-sentence.ts";
import type { NextWordPipeline } from "../src/tasks/words/next-word.ts";
import type { PseudoLogLikelihoodPipeline } from "../src/tasks/words/pseudo-log-likelihood.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { expectError } from "./expect-error.ts";
import { tinyConfig, VOCABULARY, writeTinyModel, writeTinyPretrainedModel } from "./tiny-model.ts";
import { writeSafetensors } from "./write-safetensors.ts";

let folder: string;
let pretrained: string;
let maskedOnly: string;
let classifier: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pretrained-"));
  pretrained = await writeTinyPretrainedModel(join(folder, "pretrained"));
  maskedOnly = await writeTinyPretrainedModel(join(folder, "masked-only"), { withoutPairs: true });
  classifier = await writeTinyModel(join(folder, "classifier"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { threads: 1 };
const withDropoutOff = tinyConfig({ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
const pair = { text: "a good day", text_pair: "bad" };

test("each task has its own kind of function", async () => {
  const [fill, next, follows, judge] = await Promise.all([
    pipeline("fill-mask", pretrained, options),
    pipeline("next-word", pretrained, options),
    pipeline("next-sentence", pretrained, options),
    pipeline("pseudo-log-likelihood", pretrained, options),
  ]);
  expectTypeOf(fill).toEqualTypeOf<FillMaskPipeline>();
  expectTypeOf(next).toEqualTypeOf<NextWordPipeline>();
  expectTypeOf(follows).toEqualTypeOf<NextSentencePipeline>();
  expectTypeOf(judge).toEqualTypeOf<PseudoLogLikelihoodPipeline>();

  expect(await fill("a [MASK] day", { top_k: 3 })).toHaveLength(3);
  expect((await next("a go", { top_k: 59 })).map(({ word }) => word)).toContain("good");
  expect(await follows(pair)).toEqual({ score: expect.any(Number) });
  expect(await judge("a good day")).toMatchObject({ tokens: 5 });
  await Promise.all([fill, next, follows, judge].map((run) => run.dispose()));
});

describe("a pipeline", () => {
  test("reports its progress, and stops when it is told to", async () => {
    const fill = await pipeline("fill-mask", pretrained, options);
    const many = Array.from({ length: 600 }, (_, i) => `${"abc"[i % 3]} [MASK]`);
    const seen: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }) => seen.push(done / total);
    expect(await fill(many, { onProgress, top_k: 1 })).toHaveLength(600);
    expect(seen).toEqual([256 / 600, 512 / 600, 1]);
    const controller = new AbortController();
    const stopped = fill(many, { signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) });
    await expect(stopped).rejects.toThrow("enough");
    await expect(fill("[MASK]", { signal: AbortSignal.abort() })).rejects.toThrow(DOMException);
    await fill.dispose();
  });

  test("is of no use after dispose, which may be called again", async () => {
    const [fill, follows] = [await pipeline("fill-mask", pretrained), await pipeline("next-sentence", pretrained)];
    for (const run of [fill, follows, fill]) await run.dispose();
    await expectError(fill("[MASK]"), "DISPOSED");
    await expectError(follows(pair), "DISPOSED");
  });
});

describe("next-sentence", () => {
  test("gives the probability of the first label, as the graph does", async () => {
    const parameters = new Parameters(nextSentenceParameters(withDropoutOff));
    await loadWeights(pretrained, parameters);
    const executable = await referenceExecutor.load(
      makeGraph({ logits: nextSentence(withDropoutOff).logits }),
      parameters,
    );
    const encoding = BertTokenizer.fromVocabulary(VOCABULARY).encode(pair.text, { pair: pair.text_pair });
    const { logits } = await executable.run(joinSequences([encoding]));
    const follows = await pipeline("next-sentence", pretrained, options);
    expect((await follows(pair)).score).toBeCloseTo(softmax(logits!.data)[0], 5);
    await follows.dispose();
  });

  test("tells pairs from turned ones, alone and in a list, and cuts long ones", async () => {
    const follows = await pipeline("next-sentence", pretrained, options);
    const pairs = [
      pair,
      { text: pair.text_pair, text_pair: pair.text },
      { text: "good ".repeat(200), text_pair: "bad" },
    ];
    const alone = await Promise.all(pairs.map((one) => follows(one)));
    expect(await follows(pairs)).toEqual(alone);
    expect(new Set(alone.map(({ score }) => score)).size).toBe(3);
    await follows.dispose();
  });
});

describe("a folder", () => {
  test("names its architecture", async () => {
    expect((await purposeOf(pretrained)).architecture).toBe("BertForPreTraining");
    expect((await purposeOf(maskedOnly)).architecture).toBe("BertForMaskedLM");
    const config = JSON.parse(readFileSync(join(maskedOnly, "config.json"), "utf8"));
    for (const architectures of [undefined, [], "Bert"]) {
      const other = await writeTinyPretrainedModel(join(folder, "other"));
      writeFileSync(join(other, "config.json"), JSON.stringify({ ...config, architectures }));
      expect((await purposeOf(other)).architecture).toBeUndefined();
    }
  });

  test("without pairs fills masks, and has nothing to say of the next sentence", async () => {
    const fill = await pipeline("fill-mask", maskedOnly, options);
    expect(await fill("a [MASK]")).toHaveLength(5);
    await fill.dispose();
    const parts = ["no head for next sentence prediction", "cls.seq_relationship.weight", "bert.pooler.dense.bias"];
    await expectError(pipeline("next-sentence", maskedOnly), "MODEL_INCOMPLETE", maskedOnly, ...parts);
  });

  test.each(["fill-mask", "next-word", "pseudo-log-likelihood"] as const)("of a classifier has no %s", async (task) => {
    const parts = ["no head for masked language modelling", "cls.predictions.bias"];
    await expectError(pipeline(task, classifier), "MODEL_INCOMPLETE", classifier, ...parts);
  });

  test("with NaN for weights is refused", async () => {
    const spoilt = await writeTinyPretrainedModel(join(folder, "spoilt"), {
      change: ({ buffer }) => buffer.fill(Number.NaN),
    });
    await expectError(pipeline("fill-mask", spoilt, options), "WEIGHTS_NOT_FINITE", "model.safetensors");
  });
});

describe("weights as transformers saves them", () => {
  const BIAS = "cls.predictions.bias";
  const DECODER_BIAS = "cls.predictions.decoder.bias";
  const right = Float32Array.from(VOCABULARY, (_, i) => (i % 7) / 7);
  const wrong = right.toReversed();

  /** A folder with these biases, and with the decoder's copy of the word embeddings. */
  async function withBiases(name: string, biases: readonly (readonly [name: string, bias: Float32Array])[]) {
    const path = await writeTinyPretrainedModel(join(folder, name));
    const file = join(path, "model.safetensors");
    const tensors: NamedTensor[] = [];
    await readSafetensors(file, {
      into: (name, shape) => {
        const data = new Float32Array(sizeOf(shape));
        if (name !== BIAS) tensors.push({ name, shape, dtype: "F32", data });
        return data;
      },
    });
    const words = tensors.find(({ name }) => name === "bert.embeddings.word_embeddings.weight")!;
    tensors.push({ ...words, name: "cls.predictions.decoder.weight" });
    for (const [name, data] of biases) tensors.push({ name, shape: [data.length], dtype: "F32", data });
    await writeSafetensors(file, tensors);
    return path;
  }

  test("the masked-LM bias may have its own name, its decoder's, or both", async () => {
    const results: unknown[] = [];
    for (const [i, biases] of [
      [[BIAS, right] as const],
      [[DECODER_BIAS, right] as const],
      [[BIAS, right] as const, [DECODER_BIAS, wrong] as const],
      [[DECODER_BIAS, wrong] as const, [BIAS, right] as const],
    ].entries()) {
      const fill = await pipeline("fill-mask", await withBiases(`bias-${i}`, biases), options);
      results.push(await fill("a [MASK] day"));
      await fill.dispose();
    }
    expect(results).toEqual(results.map(() => results[0]));
  });
});
