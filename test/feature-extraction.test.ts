/** Features from a model folder: `pipeline("feature-extraction")` and the extractor under it. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bert, bertInputs } from "../src/bert/bert.ts";
import { withoutDropout } from "../src/bert/config.ts";
import { joinSequences } from "../src/data/sequences.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { loadWeights, openModelFolder, saveModelFolder } from "../src/tasks/folder/model-folder.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { featureParameters } from "../src/tasks/vectors/feature-extraction.ts";
import { FeatureExtractor } from "../src/tasks/vectors/feature-extractor.node.ts";
import type { FeatureExtractionPipeline } from "../src/tasks/vectors/feature-pipeline.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { expectError } from "./expect-error.ts";
import { relativeError } from "./relative-error.ts";
import { examples, tinyConfig, VOCABULARY, writeTinyModel } from "./tiny-model.ts";

/** Hidden size and layers. */
const [D, L] = [32, 3];
const config = { num_hidden_layers: L };

let folder: string;
let model: string;
let extract: FeatureExtractionPipeline;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-features-"));
  model = await writeTinyModel(join(folder, "model"), { config });
  extract = await pipeline("feature-extraction", model, { threads: 1 });
});
afterAll(async () => {
  await extract.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const texts = examples(100).map(({ text }) => text);

describe("without pooling", () => {
  test("a text gives a tensor [1, tokens, width] with its tokens and their places", async () => {
    const { dims, data, tokens, offsets, truncated } = await extract("Good day");
    expect(tokens).toEqual(["[CLS]", "good", "d", "##a", "##y", "[SEP]"]);
    expect(dims).toEqual([1, tokens.length, D]);
    expect(data).toHaveLength(tokens.length * D);
    expect([...offsets]).toEqual([0, 0, 0, 4, 5, 6, 6, 7, 7, 8, 0, 0]);
    expect(truncated).toBe(false);
  });

  test("tolist nests the numbers as the dims say", async () => {
    const features = await extract("good", { layers: "0" });
    const list = features.tolist();
    expect([list.length, list[0].length, list[0][0].length]).toEqual(features.dims);
    expect(list.flat(2)).toEqual([...features.data]);
  });

  test("several texts give a tensor each, unpadded, with the bits that each has alone", async () => {
    const together = await extract(texts);
    for (const [i, text] of texts.entries()) expect(together[i]).toEqual(await extract(text));
    expect(new Set(together.map(({ dims }) => dims[1])).size).toBeGreaterThan(5);
    expect(await extract([])).toEqual([]);
  });
});

describe("with pooling", () => {
  test.each(["cls", "mean", "max"] as const)("%s: a row a text, from the rows of all its tokens", async (pooling) => {
    const features = await extract(texts, { pooling, layers: [2, 0] });
    expect(features.dims).toEqual([texts.length, 2 * D]);
    expect(features.truncated).toBe(0);
    const rows = features.tolist();
    for (const [i, { tokens, ...tensor }] of (await extract(texts, { layers: [2, 0] })).entries()) {
      const column = (j: number) => tokens.map((_, token) => tensor.data[token * 2 * D + j]);
      const byHand = {
        cls: (values: number[]) => values[0],
        mean: (values: number[]) => Math.fround(values.reduce((a, b) => a + b) / values.length),
        max: (values: number[]) => Math.max(...values),
      };
      expect(rows[i]).toEqual(Array.from({ length: 2 * D }, (_, j) => byHand[pooling](column(j))));
    }
  });

  test("a text alone is a list of one, and has the bits that it has among others", async () => {
    const options = { pooling: "mean", layers: "-2..-1", normalize: true } as const;
    const together = (await extract(texts, options)).tolist();
    for (const [i, text] of texts.entries()) {
      const alone = await extract(text, options);
      expect(alone.dims).toEqual([1, 2 * D]);
      expect(alone.tolist()).toEqual([together[i]]);
    }
    expect((await extract([], options)).dims).toEqual([0, 2 * D]);
  });

  test("the numbers are those of the reference executor", async () => {
    const parsed = await openModelFolder(model);
    const { hiddenStates } = bert(withoutDropout(parsed.config), bertInputs());
    const graph = makeGraph({ middle: hiddenStates[1], last: hiddenStates[L] });
    const parameters = new Parameters(graph.parameters);
    await loadWeights(model, parameters);
    const encoding = parsed.tokenizer.encode(texts[0]);
    const outputs = await (await referenceExecutor.load(graph, parameters)).run(joinSequences([encoding]));
    const mean = [outputs.last, outputs.middle].flatMap(({ data }) =>
      Array.from({ length: D }, (_, j) => {
        return Array.from(data).reduce((sum, x, i) => sum + (i % D === j ? x : 0), 0) / encoding.length;
      }),
    );
    const { data } = await extract(texts[0], { pooling: "mean", layers: `${L},1` });
    expect(relativeError(data, Float32Array.from(mean))).toBeLessThan(1e-5);
  });
});

describe("normalize", () => {
  test("gives every row the length 1", async () => {
    for (const row of (await extract(texts, { pooling: "max", normalize: true })).tolist()) {
      expect(Math.hypot(...row)).toBeCloseTo(1, 6);
    }
    for (const row of (await extract(texts[0], { normalize: true })).tolist()[0]) {
      expect(Math.hypot(...row)).toBeCloseTo(1, 6);
    }
  });

  test("leaves a vector of zeros as it is", async () => {
    const path = await writeTinyModel(join(folder, "zeros"), {
      change: (parameters) => {
        for (const part of ["weight", "bias"]) parameters.get(`bert.embeddings.LayerNorm.${part}`).data.fill(0);
      },
    });
    const zeros = await pipeline("feature-extraction", path, { threads: 1 });
    const features = await zeros(texts.slice(0, 3), { pooling: "mean", layers: "0", normalize: true });
    expect(features.data).toEqual(new Float32Array(3 * D));
    await zeros.dispose();
  });
});

describe("texts", () => {
  test("may be pairs, whose order matters", async () => {
    const pair = { text: "good day", text_pair: "bad night" };
    const { tokens, offsets } = await extract(pair);
    expect(tokens.filter((token) => token === "[SEP]")).toHaveLength(2);
    const bad = tokens.indexOf("bad");
    expect([...offsets.slice(2 * bad, 2 * bad + 2)]).toEqual([0, 3]); // in its own text
    const pooling = "mean";
    const [one, two] = [pair, { text: "bad night", text_pair: "good day" }].map((input) => extract(input, { pooling }));
    expect((await one).data).not.toEqual((await two).data);
  });

  test("that are too long are cut and counted", async () => {
    const long = "bad ".repeat(200);
    expect(await extract(long)).toMatchObject({ dims: [1, 128, D], truncated: true });
    expect(await extract(["good", long, long], { pooling: "cls" })).toMatchObject({ truncated: 2 });
    expect(await extract("good good good", { maxLength: 4 })).toMatchObject({ dims: [1, 4, D], truncated: true });
  });
});

describe("options that cannot be", () => {
  test("a length beyond the model's", async () => {
    await expectError(extract("a", { maxLength: 129 }), "OPTION_INVALID", "at most 128 tokens", "129");
    await expectError(extract("a", { maxLength: 1.5 }), "OPTION_INVALID", "1.5");
    await expectError(extract("a", { maxLength: 1 }), "TRUNCATION_IMPOSSIBLE");
  });

  test("layers that the model lacks", async () => {
    await expectError(extract("a", { layers: "4" }), "OPTION_INVALID", "to 3");
    await expectError(extract("a", { layers: [-5] }), "OPTION_INVALID", "from -4 to -1");
    await expectError(FeatureExtractor.open(model, { layers: "1..9" }), "OPTION_INVALID");
  });

  test("another pooling, where a program is not checked for types", async () => {
    const options: { pooling: "mean" } = JSON.parse('{ "pooling": "first_token" }');
    await expectError(extract("a", options), "OPTION_INVALID", "none, cls, mean, max", "first_token");
  });
});

describe("a model folder", () => {
  /** Writes the weights that some layers need, and no others. */
  async function writeBare(name: string, layers: readonly number[], rename = (weight: string) => weight) {
    const path = join(folder, name);
    const parsed = tinyConfig(config);
    const all = featureParameters(parsed, layers);
    const parameters = new Parameters(all.map((spec) => ({ ...spec, name: rename(spec.name) })));
    // The values of the weights are those of `model`, which depend on their names with the prefix.
    const named = new Parameters(all);
    initialise(named, 0.3, 1);
    parameters.buffer.set(named.buffer);
    await mkdir(path);
    await saveModelFolder(path, {
      architecture: "BertModel",
      config: parsed,
      tokenizer: BertTokenizer.fromVocabulary(VOCABULARY),
      parameters,
      maxLength: 128,
    });
    return path;
  }

  test.each([
    ["as they are", (name: string) => name],
    ["without their prefix", (name: string) => name.replace(/^bert\./, "")],
  ])("needs neither head nor pooler; names of weights %s", async (form, rename) => {
    const path = await writeBare(`bare, ${form}`, [L], rename);
    const extractor = await FeatureExtractor.open(path, { threads: 1 });
    const inputs = texts.map((text) => ({ text }));
    expect(extractor.width).toBe(D);
    const { data } = await extractor.pooledFeatures(inputs, { pooling: "mean" });
    expect(data).toEqual((await extract(texts, { pooling: "mean" })).data);
    await extractor.dispose();
  });

  test("needs the weights of the layers asked for alone, and says so where they are missing", async () => {
    const path = await writeBare("one layer", [1]);
    await expectError(FeatureExtractor.open(path), "MODEL_INCOMPLETE", "bert.encoder.layer.1.");
    const extractor = await FeatureExtractor.open(path, { layers: "0..1", threads: 1 });
    expect(extractor.width).toBe(2 * D);
    const inputs = [{ text: "good day" }];
    expect(await extractor.tokenFeatures(inputs)).toEqual([await extract("good day", { layers: [0, 1] })]);
    for (let i = 0; i < 2; i++) {
      await expectError(extractor.tokenFeatures(inputs, { layers: [2] }), "MODEL_INCOMPLETE");
    }
    await extractor.dispose();
  });
});

describe("a pipeline's life", () => {
  test("progress counts the texts; a signal stops between batches", async () => {
    const many = Array.from({ length: 150 }, (_, i) => texts[i % texts.length]);
    const seen: number[] = [];
    await extract(many, { pooling: "cls", onProgress: ({ done, total }) => seen.push(done, total) });
    expect(seen).toEqual([64, 150, 128, 150, 150, 150]);
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(extract(many, { signal: controller.signal, onProgress })).rejects.toThrow("enough");
  });

  test("calls may overlap, of several choices of layers", async () => {
    const calls = [...Array(4).keys()].flatMap((layer) => [0, 1].map(() => extract("good", { layers: [layer] })));
    const results = await Promise.all(calls);
    for (const [i, { data }] of results.entries()) {
      expect(data).toEqual((await extract("good", { layers: [Math.floor(i / 2)] })).data);
    }
    expect(results[0].data).not.toEqual(results[2].data);
  });

  test("it is of no use after dispose, which may be called again", async () => {
    const disposed = await pipeline("feature-extraction", model, { threads: 1 });
    await disposed.dispose();
    await disposed.dispose();
    await expectError(disposed("x"), "DISPOSED");
    await expectError(disposed("x", { layers: [0] }), "DISPOSED");
  });
});
