import { describe, expect, test } from "vitest";
import { Random } from "../../base/random.ts";
import { bert, bertInputs } from "../../bert/bert.ts";
import { presetConfig, withoutDropout } from "../../bert/config.ts";
import { joinSequences, type Sequence } from "../../data/sequences.ts";
import { onnxExecutor } from "../../executors/onnx/node.node.ts";
import { referenceExecutor } from "../../executors/reference/executor.ts";
import type { Executor } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { FeatureModel, featureParameters } from "./feature-extraction.ts";

const V = 50;
const D = 12;
const L = 3;
const config = { ...presetConfig("tiny", V), hiddenSize: D, layers: L, heads: 3, intermediateSize: 20 };

const random = Random.of(1, "sequences");
const sequences: Sequence[] = [7, 2, 31, 3, 7, 64, 5].map((length) => ({
  ids: Int32Array.from({ length }, () => random.below(V)),
  typeIds: Int32Array.from({ length }, (_, i) => Number(i > length / 2)),
}));

function load(layers: readonly number[], executor: Executor = referenceExecutor): Promise<FeatureModel> {
  const parameters = new Parameters(featureParameters(config, layers));
  initialise(parameters, 0.3, 1); // a parameter's value depends on its name alone, so that all graphs agree
  return FeatureModel.load({ config, layers, parameters }, executor);
}

/** The hidden states of one sequence, each layer from the embeddings on [S, D], from a graph of their own. */
async function hiddenStates(sequence: Sequence): Promise<number[][][]> {
  const states = bert(withoutDropout(config), bertInputs()).hiddenStates;
  const graph = makeGraph(Object.fromEntries(states.map((state, layer) => [layer, state])));
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.3, 1);
  const outputs = await (await referenceExecutor.load(graph, parameters)).run(joinSequences([sequence]));
  return states.map((_, layer) =>
    Array.from({ length: sequence.ids.length }, (_, row) => [
      ...outputs[layer].data.slice(row * D, (row + 1) * D).map(Math.fround),
    ]),
  );
}

describe("featureParameters", () => {
  const names = (layers: readonly number[]) => featureParameters(config, layers).map(({ name }) => name);

  test("ends at the highest layer, and needs neither pooler nor head", () => {
    expect(names([0]).every((name) => name.startsWith("bert.embeddings."))).toBe(true);
    expect(names([0])).toHaveLength(5);
    expect(names([2, 1])).toHaveLength(5 + 2 * 16);
    expect(names([2, 1]).filter((name) => name.startsWith("bert.encoder.layer.2"))).toEqual([]);
    expect(names([3]).some((name) => name.startsWith("bert.pooler"))).toBe(false);
  });
});

describe("features, by hand from the hidden states", () => {
  test("without pooling: the rows of the layers, one beside the other in the order asked for", async () => {
    const features = await (await load([3, 0, 2])).features(sequences, { pooling: "none" });
    for (const [i, sequence] of sequences.entries()) {
      const states = await hiddenStates(sequence);
      const rows = states[3].map((row, token) => [...row, ...states[0][token], ...states[2][token]]);
      expect([...features[i]]).toEqual(rows.flat());
    }
  });

  test.each([
    ["cls", (rows: number[][]) => rows[0]],
    ["mean", (rows: number[][]) => rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length)],
    ["max", (rows: number[][]) => rows[0].map((_, j) => Math.max(...rows.map((row) => row[j])))],
  ] as const)("%s, of two layers and normalised", async (pooling, byHand) => {
    const model = await load([1, 3]);
    expect(model.width).toBe(2 * D);
    const plain = await model.features(sequences, { pooling });
    const normalized = await model.features(sequences, { pooling, normalize: true });
    for (const [i, sequence] of sequences.entries()) {
      const states = await hiddenStates(sequence);
      const expected = Float32Array.from([...byHand(states[1]), ...byHand(states[3])]);
      expect(plain[i]).toEqual(expected);
      const length = Math.hypot(...expected);
      expect(Math.hypot(...normalized[i])).toBeCloseTo(1, 6);
      normalized[i].forEach((value, j) => {
        expect(value).toBeCloseTo(expected[j] / length, 6);
      });
    }
  });

  test("without pooling, normalised: every token's row has length 1", async () => {
    const [rows] = await (await load([1, 2])).features(sequences, { pooling: "none", normalize: true });
    for (let start = 0; start < rows.length; start += 2 * D) {
      expect(Math.hypot(...rows.subarray(start, start + 2 * D))).toBeCloseTo(1, 6);
    }
  });
});

test.each(["none", "cls", "mean", "max"] as const)("%s: the same bits alone and in any batch", async (pooling) => {
  const model = await load([0, 3], onnxExecutor({ threads: 1 }));
  const alone: Float32Array[] = [];
  for (const sequence of sequences) alone.push(...(await model.features([sequence], { pooling, normalize: true })));
  const many = Array.from({ length: 150 }, () => random.below(sequences.length)); // more than a batch
  const together = await model.features(
    many.map((i) => sequences[i]),
    { pooling, normalize: true },
  );
  expect(together).toEqual(many.map((i) => alone[i]));
  await model.dispose();
});

describe("a model's life", () => {
  test("progress counts the sequences; a signal stops between batches", async () => {
    const model = await load([1], onnxExecutor({ threads: 1 }));
    const many = Array.from({ length: 130 }, () => sequences[0]);
    const seen: number[] = [];
    await model.features(many, { pooling: "cls" }, { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([64, 128, 130]);
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    const stopped = model.features(many, { pooling: "cls" }, { signal: controller.signal, onProgress });
    await expect(stopped).rejects.toThrow("enough");
    await model.dispose();
    await model.dispose();
    await expect(model.features(many, { pooling: "cls" })).rejects.toMatchObject({ code: "DISPOSED" });
  });

  test("spoilt weights are told, not passed on", async () => {
    const parameters = new Parameters(featureParameters(config, [0]));
    initialise(parameters, 0.3, 1);
    parameters.get("bert.embeddings.LayerNorm.bias").data[3] = Number.NaN;
    const model = await FeatureModel.load({ config, layers: [0], parameters }, referenceExecutor);
    await expect(model.features(sequences, { pooling: "mean" })).rejects.toMatchObject({ code: "LOGITS_NOT_FINITE" });
  });
});
