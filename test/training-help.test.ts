/** Freezing, layer-wise rates, and what a fine-tuning leaves in its folder beside the model. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { depthOf } from "../src/bert/depth.ts";
import { Parameters } from "../src/graph/parameters.ts";
import type { FinetuneOptions } from "../src/tasks/finetuning/finetune.node.ts";
import { loadWeights } from "../src/tasks/folder/model-folder.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { expectError } from "./expect-error.ts";
import { classifierParameters, examples, tinyConfig, writeRows, writeTinyModel } from "./tiny-model.ts";

const LAYERS = 3;
const config = tinyConfig({ num_hidden_layers: LAYERS });

let folder: string;
let model: string;
let train: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-training-help-"));
  model = await writeTinyModel(join(folder, "model"), { config: { num_hidden_layers: LAYERS } });
  train = writeRows(join(folder, "train.jsonl"), examples(24));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function weightsOf(path: string): Promise<Parameters> {
  const parameters = new Parameters(classifierParameters(config));
  await loadWeights(path, parameters);
  return parameters;
}

let count = 0;
/** How far each weight moves in one epoch, as a norm, by its depth. */
async function movements(options: Partial<FinetuneOptions>): Promise<number[]> {
  const output = join(folder, String(++count));
  const recipe = { epochs: 1, batchSize: 24, learningRate: 1e-3, warmupRatio: 0, weightDecay: 0, threads: 1 };
  await finetune("text-classification", { model, train, output, ...recipe, ...options });
  const [before, after] = [await weightsOf(model), await weightsOf(output)];
  const largest = new Array<number>(LAYERS + 2).fill(0);
  before.views.forEach(({ spec, data }, i) => {
    const depth = depthOf(spec.name, config);
    data.forEach((value, j) => {
      largest[depth] = Math.max(largest[depth], Math.abs(value - after.views[i].data[j]));
    });
  });
  return largest;
}

test("frozen layers stay as they are, to the bit, and the others learn", async () => {
  expect((await movements({ freezeLayers: 0 })).map((moved) => moved > 0)).toEqual([false, true, true, true, true]);
  expect((await movements({ freezeLayers: 2 })).map((moved) => moved > 0)).toEqual([false, false, false, true, true]);
  expect((await movements({ freezeLayers: 9 })).map((moved) => moved > 0)).toEqual([false, false, false, false, true]);
});

test("the first step of AdamW is the rate, which falls from layer to layer", async () => {
  const moved = await movements({ layerDecay: 0.5 });
  moved.forEach((most, depth) => {
    expect(most).toBeCloseTo(1e-3 * 0.5 ** (LAYERS + 1 - depth), 6);
  });
});

test.each([
  [{ layerDecay: 0 }, "layerDecay"],
  [{ layerDecay: 1.1 }, "layerDecay"],
  [{ freezeLayers: -1 }, "freezeLayers"],
])("%j is refused", async (options, name) => {
  await expectError(movements(options), "OPTION_INVALID", name);
});
