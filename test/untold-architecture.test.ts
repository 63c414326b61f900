/** Folders whose config.json names no `architectures`: whoever asks what the model is for takes its head for an answer. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAddon } from "../src/executors/native/addon.node.ts";
import { makeGraph } from "../src/graph/graph.ts";
import type { Tensor } from "../src/graph/operations.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { questionAnswering } from "../src/heads/question-answering.ts";
import { tokenClassification } from "../src/heads/token-classification.ts";
import { exportNative } from "../src/tasks/export-native.node.ts";
import { saveModelFolder, storedWeights } from "../src/tasks/folder/model-folder.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { taskOfFolder } from "../src/tasks/task-table.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { cloze } from "./command-line.ts";
import { NOT_BUILT } from "./native-kernels.ts";
import {
  examples,
  LABELS,
  tinyConfig,
  VOCABULARY,
  writeRows,
  writeTinyModel,
  writeTinyPretrainedModel,
} from "./tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-untold-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Takes the architecture out of a folder's config.json, and puts something else in. */
function untold(path: string, content: Record<string, unknown> = {}): string {
  const { architectures: _, ...config } = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
  writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, ...content }));
  return path;
}

/** What a command prints, which must succeed. */
async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cloze([...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** Writes a folder with random weights for this task's head. */
async function writeHead(logits: Tensor): Promise<string> {
  const path = await mkdtemp(join(folder, "head-"));
  const parameters = new Parameters(makeGraph({ logits }).parameters);
  initialise(parameters, 0.3, 1);
  const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);
  const model = { architecture: "none", config: tinyConfig(), labels: LABELS, tokenizer, parameters, maxLength: 64 };
  await saveModelFolder(path, model);
  return untold(path);
}

const rows = examples(12);
const sets = rows.map(({ text, label }) => ({ text, labels: [label] }));
const numbers = rows.map(({ text, label }) => ({ text, score: label === "positive" ? 1 : 0 }));
const single = "single_label_classification";

describe.each<
  [task: string, config: Record<string, unknown>, labels: string[] | undefined, data: object[], figure: string]
>([
  ["text-classification", { problem_type: single }, undefined, rows, "accuracy"],
  ["text-classification", { problem_type: undefined }, undefined, rows, "confusion"],
  ["multi-label-classification", { problem_type: "multi_label_classification" }, undefined, sets, "microF1"],
  ["regression", { problem_type: "regression" }, ["LABEL_0"], numbers, "spearman"],
])("a classifier for %s, with %j", (task, config, labels, data, figure) => {
  let model: string;
  let file: string;
  beforeAll(async () => {
    const path = await mkdtemp(join(folder, "model-"));
    model = untold(await writeTinyModel(path, { labels }), config);
    file = writeRows(join(path, "data.jsonl"), data);
  });

  test("is evaluated as that, and info says so", async () => {
    const metrics = JSON.parse(await succeed("evaluate", model, "--data", file, "--json", "--threads", "1"));
    expect(metrics).toMatchObject({ examples: 12, [figure]: expect.anything() });
    expect(JSON.parse(await succeed("info", model, "--json"))).toMatchObject({ task });
    expect(await succeed("info", model)).toMatch(new RegExp(`^task +${task}$`, "m"));
  });

  test("keeps its classifier in an export, which answers as it does", async ({ skip }) => {
    if (!hasAddon()) skip(NOT_BUILT);
    const output = await mkdtemp(join(folder, "exported-"));
    await exportNative(model, { output, precision: "fp32" });
    expect(readdirSync(output)).not.toContain("model.safetensors");
    const answers = await Promise.all(
      [output, model].map(async (path) => {
        const classify = await pipeline("text-classification", path, { threads: 1, precision: "fp32" });
        const found = await classify(["good", "a bad day"]);
        await classify.dispose();
        return found;
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(await taskOfFolder(output)).toBe(task);
  });
});

test.for<[task: string, logits: Tensor]>([
  ["token-classification", tokenClassification(tinyConfig(), { labels: LABELS.length }).logits],
  ["question-answering", questionAnswering(tinyConfig()).logits],
])("a head for %s is told by its weights, and stays in an export", async ([task, logits], { skip }) => {
  const model = await writeHead(logits);
  expect(await taskOfFolder(model)).toBe(task);
  expect(JSON.parse(await succeed("info", model, "--json"))).toMatchObject({ task });
  if (!hasAddon()) skip(NOT_BUILT);
  const output = await mkdtemp(join(folder, "exported-"));
  await exportNative(model, { output, precision: "fp32" });
  const namesOf = async (path: string) => (await storedWeights(path)).map(({ name }) => name).toSorted();
  expect(await namesOf(output)).toEqual(await namesOf(model));
});

test("a pre-trained model is for no task, and its export keeps the heads of its pre-training", async ({ skip }) => {
  const model = untold(await writeTinyPretrainedModel(join(folder, "pretrained")));
  expect(await taskOfFolder(model)).toBeUndefined();
  if (!hasAddon()) skip(NOT_BUILT);
  const output = join(folder, "exported");
  await exportNative(model, { output, precision: "fp32" });
  expect((await storedWeights(output)).map(({ name }) => name)).toContain("cls.seq_relationship.weight");
});
