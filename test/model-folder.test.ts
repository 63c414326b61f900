/** Model folders as Cloze writes them, and as others do. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeSafetensors, type NamedTensor, toFloat16 } from "../src/formats/safetensors.ts";
import { readSafetensorsHeader } from "../src/formats/safetensors-file.node.ts";
import { initialise, Parameters, type ParameterView } from "../src/graph/parameters.ts";
import { openTask } from "../src/tasks/definitions/open-task.node.ts";
import { textClassification } from "../src/tasks/definitions/text-classification.ts";
import type { FinetuneEvent } from "../src/tasks/finetuning/finetune-options.node.ts";
import { loadWeights, openModelFolder } from "../src/tasks/folder/model-folder.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { classifierParameters, LABELS, tinyConfig, VOCABULARY, writeRows, writeTinyModel } from "./tiny-model.ts";
import { writeSafetensors } from "./write-safetensors.ts";

let folder: string;
let path: string;
const original = new Parameters(classifierParameters(tinyConfig()));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-model-folder-"));
  path = join(folder, "model.safetensors");
  initialise(original, 0.3, 1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optional = { optional: ["classifier."] };

/** Stores the original's weights in some form and loads them into a model of zeros. */
async function reload(store: (view: ParameterView) => NamedTensor | undefined, more: NamedTensor[] = []) {
  const tensors = original.views.map(store).filter((tensor) => tensor !== undefined);
  await writeSafetensors(path, [...more, ...tensors]);
  const parameters = original.like();
  return { parameters, ...(await loadWeights(folder, parameters, optional)) };
}

const stored = ({ spec: { name, shape }, data }: ParameterView) => ({ name, shape, dtype: "F32" as const, data });

test("a saved folder holds the model and nothing else", async () => {
  const model = await writeTinyModel(join(folder, "saved"));
  const files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
  expect(readdirSync(model).toSorted()).toEqual(files);
  const { config, labels, tokenizer } = await openModelFolder(model);
  expect({ config, labels, tokens: tokenizer.vocabulary.tokens }).toEqual({
    config: tinyConfig(),
    labels: LABELS,
    tokens: VOCABULARY,
  });
  const parameters = original.like();
  expect(await loadWeights(model, parameters)).toEqual({ missing: [], unused: [] });
  expect(parameters.buffer).toEqual(original.buffer);

  const { entries } = await readSafetensorsHeader(join(model, "model.safetensors"));
  const forms = Array.from(entries, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  expect(forms).toEqual(original.views.map(({ spec: { name, shape } }) => ({ name, dtype: "F32", shape })));
  const bytes = encodeSafetensors(original.views.map(stored), { format: "pt" });
  expect(readFileSync(join(model, "model.safetensors")).equals(Buffer.concat(bytes))).toBe(true);
});

test("a configuration of the former name is read", async () => {
  const model = await writeTinyModel(join(folder, "former"));
  renameSync(join(model, "config.json"), join(model, "bert_config.json"));
  expect((await openModelFolder(model)).config).toEqual(tinyConfig());
});

describe("weights", () => {
  test("with the names of old checkpoints", async () => {
    const { parameters, missing } = await reload((view) => {
      const name = view.spec.name
        .replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta");
      return { ...stored(view), name };
    });
    expect(missing).toEqual([]);
    expect(parameters.buffer).toEqual(original.buffer);
  });

  test("of an encoder saved alone: the head keeps its values", async () => {
    const { parameters, missing } = await reload((view) =>
      view.spec.name.startsWith("bert.") ? { ...stored(view), name: view.spec.name.slice(5) } : undefined,
    );
    expect(missing).toEqual(["classifier.weight", "classifier.bias"]);
    for (const { spec, data } of parameters.views) {
      expect(data).toEqual(
        spec.name.startsWith("bert.") ? original.get(spec.name).data : new Float32Array(data.length),
      );
    }
  });

  test("in half precision, with others that the model has no use for", async () => {
    const buffer = {
      name: "bert.embeddings.position_ids",
      dtype: "I64" as const,
      shape: [3],
      data: new BigInt64Array(3),
    };
    const { parameters, unused } = await reload((view) => toFloat16(stored(view)), [buffer]);
    expect(unused).toEqual(["bert.embeddings.position_ids"]);
    original.buffer.forEach((value, i) => {
      expect(Math.abs(parameters.buffer[i] - value)).toBeLessThanOrEqual(
        Math.max(2 ** -11 * Math.abs(value), 2 ** -25),
      );
    });
  });
});

test.each([
  { labels: LABELS, fresh: [] },
  { labels: ["bad", "fair", "good"], fresh: ["classifier.weight", "classifier.bias"] },
  { labels: ["labels", "other"], fresh: ["classifier.weight", "classifier.bias"] },
])("fine-tuning for the labels $labels starts $fresh anew", async ({ labels, fresh }) => {
  const model = await writeTinyModel(join(folder, "start"));
  const train = writeRows(
    join(folder, "train.jsonl"),
    labels.map((label) => ({ text: `a ${label}`, label })),
  );
  const events: FinetuneEvent[] = [];
  const onEvent = (event: FinetuneEvent) => void events.push(event);
  await finetune("text-classification", {
    model,
    train,
    output: join(folder, "result"),
    epochs: 1,
    overwrite: true,
    onEvent,
  });
  expect(events.find(({ kind }) => kind === "model")).toMatchObject({ labels, fresh });
});

test("labels without names have those of transformers, which leaves them out of config.json", async () => {
  const unnamed = await writeTinyModel(join(folder, "unnamed"));
  const file = join(unnamed, "config.json");
  const { id2label: _names, label2id: _indexes, ...config } = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify(config));
  const model = await openTask(textClassification, unnamed, { threads: 1 });
  expect(model.context.labels).toEqual(["LABEL_0", "LABEL_1"]);
  await model.dispose();
});
