/** Model folders that are damaged, incomplete or of another kind: each gets its own error before anything is computed. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../src/base/errors.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { finetune, TASKS, type TaskName } from "../src/tasks/task-table.node.ts";
import { expectError } from "./expect-error.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";

let folder: string;
let model: string;
let train: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-bad-model-"));
  model = await writeTinyModel(join(folder, "model"));
  train = writeRows(join(folder, "train.jsonl"), examples(4));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A copy of the good model with some damage. */
function damaged(damage: (path: string) => void): string {
  const copy = join(folder, String(++count));
  cpSync(model, copy, { recursive: true });
  damage(copy);
  return copy;
}

const open = (path: string) => pipeline("text-classification", path, { threads: 1 });

test("the undamaged model opens", async () => {
  const classify = await open(damaged(() => {}));
  expect(await classify("good")).toHaveLength(1);
  await classify.dispose();
});

const BIAS = "bert.pooler.dense.bias";
const QUERY = "bert.encoder.layer.0.attention.self.query.weight";

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}

/** Damage to the header of a safetensors file: what `edit` makes of it, or returns in its place. */
function header(edit: (entries: Record<string, Entry>) => string | undefined) {
  return (path: string) => {
    const bytes = readFileSync(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const entries: Record<string, Entry> = JSON.parse(bytes.toString("utf8", 8, end));
    const json = edit(entries) ?? JSON.stringify(entries);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
    writeFileSync(path, Buffer.concat([length, Buffer.from(json), bytes.subarray(end)]));
  };
}

/** Damage to what the header says of one tensor. */
function entry(name: string, change: Partial<Entry>) {
  return header((entries) => {
    entries[name] = { ...entries[name], ...change };
    return undefined;
  });
}

const twice = header((entries) => JSON.stringify(entries).replace("{", `{"${BIAS}":${JSON.stringify(entries[BIAS])},`));
const renamed = header((entries) => JSON.stringify(entries).replace(BIAS, "pooler.bisa"));
const without = header((entries) => JSON.stringify({ ...entries, [QUERY]: undefined }));
const overlapping = header((entries) => {
  for (const name of [BIAS, QUERY]) entries[name].data_offsets = entries[name].data_offsets.map((at) => at - 4);
  return undefined;
});
const endless = (path: string) => writeFileSync(path, Uint8Array.of(2, 0, 0, 2, 0, 0, 0, 0, 0x7b, 0x7d));
const shortened = (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -4));
const lengthened = (path: string) => writeFileSync(path, "more", { flag: "a" });

test.each<[what: string, code: ErrorCode, part: string, damage: (path: string) => void]>([
  ["is missing", "FILE_MISSING", "model.safetensors does not exist", (path) => rmSync(path)],
  ["is empty", "SAFETENSORS_HEADER", "8 bytes", (path) => writeFileSync(path, "")],
  ["has a header longer than the file", "SAFETENSORS_HEADER", "a file that holds its header", endless],
  ["has a header that is no JSON", "SAFETENSORS_HEADER", "JSON", header(() => "{oops}")],
  ["names a tensor twice", "SAFETENSORS_HEADER", `"${BIAS}" twice`, twice],
  ["ends too soon", "SAFETENSORS_OFFSETS", "bytes of data", shortened],
  ["goes on behind its data", "SAFETENSORS_OFFSETS", "bytes of data", lengthened],
  ["has ranges that overlap", "SAFETENSORS_OFFSETS", "where the one before ends", overlapping],
  ["has bytes that are no tensor's", "SAFETENSORS_OFFSETS", "where the one before ends", without],
  ["has a tensor of another size than its range", "SAFETENSORS_TENSOR", BIAS, entry(BIAS, { shape: [31] })],
  ["has an unknown number format", "SAFETENSORS_DTYPE", '"F99"', entry(BIAS, { dtype: "F99" })],
  ["has integers for weights", "SAFETENSORS_DTYPE", BIAS, entry(BIAS, { dtype: "I32" })],
  ["has a weight of another shape", "PARAMETER_SHAPE", "[32, 32]; got [16, 64]", entry(QUERY, { shape: [16, 64] })],
  ["lacks a weight", "MODEL_INCOMPLETE", BIAS, renamed],
])("model.safetensors %s", async (_, code, part, damage) => {
  const path = damaged((copy) => damage(join(copy, "model.safetensors")));
  await expectError(open(path), code, path, part);
  const output = join(folder, String(++count));
  await expectError(finetune("text-classification", { model: path, train, output, threads: 1 }), code, path, part);
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY])("model.safetensors has a weight that is %d", async (odd) => {
  const spoilt = await writeTinyModel(join(folder, "spoilt"), {
    change: (parameters) => {
      parameters.get(QUERY).data[33] = odd;
    },
  });
  const parts = ["model.safetensors", QUERY, `got ${odd} at element 33 of [32, 32]`];
  await expectError(open(spoilt), "WEIGHTS_NOT_FINITE", ...parts);
  const output = join(folder, String(++count));
  const training = finetune("text-classification", { model: spoilt, train, output, threads: 1 });
  await expectError(training, "WEIGHTS_NOT_FINITE", ...parts);
});

test("model.safetensors has weights that are too large to compute with", async () => {
  const spoilt = await writeTinyModel(join(folder, "huge"), { change: ({ buffer }) => buffer.fill(3e38) });
  const classify = await open(spoilt);
  await expectError(classify("good"), "LOGITS_NOT_FINITE", "model.safetensors");
  await classify.dispose();
});

/** A copy of the model with another config.json: this text, or with these fields changed. */
function withConfig(content: string | Readonly<Record<string, unknown>>): string {
  return damaged((copy) => {
    const path = join(copy, "config.json");
    const former: Record<string, unknown> = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify({ ...former, ...content }));
  });
}

describe("config.json", () => {
  test.each<[what: string, content: string | Record<string, unknown>, part: string]>([
    ["is no JSON", "{", "config.json is no JSON"],
    ["is a list", "[]", "file: "],
    ["lacks the vocabulary's size", { vocab_size: undefined }, "vocab_size"],
    ["has text for a number", { hidden_size: "32" }, "hidden_size"],
    ["has a fraction for a count", { num_hidden_layers: 1.5 }, "num_hidden_layers"],
    ["has no heads", { num_attention_heads: 0 }, "num_attention_heads"],
    ["has heads that do not divide the width", { num_attention_heads: 5 }, "must divide hidden_size"],
    ["has a dropout of 1", { hidden_dropout_prob: 1 }, "hidden_dropout_prob"],
    ["has another activation", { hidden_act: "mish" }, "hidden_act"],
    ["is of another family", { model_type: "roberta" }, "model_type"],
    ["has relative positions", { position_embedding_type: "relative_key" }, "position_embedding_type"],
    ["is a decoder's", { is_decoder: true }, "is_decoder"],
    ["unties the embeddings", { tie_word_embeddings: false }, "tie_word_embeddings"],
    ["has a hole in its labels", { id2label: { 0: "negative", 2: "positive" } }, "id2label"],
    ["has labels that are no text", { id2label: { 0: 1, 1: 2 } }, "id2label"],
  ])("%s", async (_, content, part) => {
    await expectError(open(withConfig(content)), "CONFIG_MALFORMED", "config.json", part);
  });

  test.each<[what: string, content: Record<string, unknown>, code: ErrorCode, part: string]>([
    ["more labels than the weights", { id2label: { 0: "a", 1: "b", 2: "c" } }, "PARAMETER_SHAPE", "classifier.weight"],
    ["another vocabulary", { vocab_size: 60 }, "VOCABULARY_MISMATCH", "expected 60 tokens; got 59"],
    ["another width", { hidden_size: 64 }, "PARAMETER_SHAPE", "expected [59, 64]; got [59, 32]"],
  ])("names %s", async (_, content, code, part) => {
    await expectError(open(withConfig(content)), code, part);
  });
});

describe("a classifier of another problem", () => {
  const single = "single_label_classification";
  const multi = "multi_label_classification";
  const one = { id2label: { 0: "LABEL_0" } };
  const two = { id2label: { 0: "negative", 1: "positive" } };

  test.each<[TaskName, problem: string | null | undefined, labels: object, received: string]>([
    ["text-classification", "regression", one, "regression"],
    ["text-classification", undefined, one, "regression"],
    ["text-classification", multi, two, multi],
    ["multi-label-classification", single, two, single],
    ["multi-label-classification", "regression", one, "regression"],
    ["regression", single, two, single],
    ["text-classification", "ranking", two, "ranking"],
  ])("is not opened for %s: %s", async (task, problem_type, labels, received) => {
    const path = withConfig({ problem_type, ...labels });
    await expectError(TASKS[task].open(path, { threads: 1 }), "MODEL_INCOMPLETE", path, task, `got ${received}`);
  });

  test.each<[TaskName, problem: string | null | undefined]>([
    ["text-classification", undefined],
    ["text-classification", null],
    ["multi-label-classification", undefined],
    ["multi-label-classification", multi],
  ])("opens for %s where config.json says %s", async (task, problem_type) => {
    const opened = await TASKS[task].open(withConfig({ problem_type }), { threads: 1 });
    await opened.dispose();
  });
});

describe("a model with the head of another task", () => {
  const sequences = "BertForSequenceClassification";
  const regression = { problem_type: "regression", id2label: { 0: "LABEL_0" } };
  const single = { architectures: ["BertForMultipleChoice"], id2label: undefined, problem_type: undefined };

  /** A model with one number for a text, whose config.json says something else too. */
  async function withOneNumber(content: Record<string, unknown>): Promise<string> {
    const path = await writeTinyModel(join(folder, String(++count)), { labels: ["LABEL_0"] });
    const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    writeFileSync(join(path, "config.json"), JSON.stringify({ ...config, ...content }));
    return path;
  }

  test.each<[TaskName, what: string, path: () => Promise<string> | string, own: string, its: string]>([
    ["token-classification", "a text classifier", () => model, "BertForTokenClassification", sequences],
    [
      "text-classification",
      "a classifier of words",
      () => withConfig({ architectures: ["BertForTokenClassification"] }),
      sequences,
      "BertForTokenClassification",
    ],
    ["multiple-choice", "a regression", () => withOneNumber(regression), "BertForMultipleChoice", sequences],
    ["regression", "a model of choices", () => withOneNumber(single), sequences, "BertForMultipleChoice"],
    [
      "regression",
      "a model of answers",
      () => withOneNumber({ architectures: ["BertForQuestionAnswering"] }),
      sequences,
      "BertForQuestionAnswering",
    ],
  ])("is not opened for %s: %s", async (task, _, make, own, its) => {
    const path = await make();
    const parts = [`${path} is no model for ${task}`, own, `got ${its}`];
    await expectError(TASKS[task].open(path, { threads: 1 }), "MODEL_INCOMPLETE", ...parts);
    await expectError(TASKS[task].evaluate(path, train, { threads: 1 }), "MODEL_INCOMPLETE", ...parts);
    if (task === "regression" || task === "multi-label-classification") return; // no pipelines have these names
    await expectError(pipeline(task, path, { threads: 1 }), "MODEL_INCOMPLETE", ...parts);
  });

  test.each<[TaskName, architectures: string[] | undefined]>([
    ["text-classification", ["MyBert"]],
    ["text-classification", []],
    ["text-classification", undefined],
    ["text-classification", ["BertForPreTraining"]],
    ["token-classification", ["MyBert"]],
    ["token-classification", undefined],
  ])("opens for %s where config.json names the architecture %j", async (task, architectures) => {
    const opened = await TASKS[task].open(withConfig({ architectures }), { threads: 1 });
    await opened.dispose();
  });

  test.each<[TaskName, architectures: string[] | undefined]>([
    ["regression", undefined],
    ["multiple-choice", ["MyBert"]],
    ["multiple-choice", undefined],
  ])("with one number opens for %s where config.json names the architecture %j", async (task, architectures) => {
    const opened = await TASKS[task].open(await withOneNumber({ ...regression, architectures }), { threads: 1 });
    await opened.dispose();
  });
});

describe("a folder", () => {
  const remove = (...names: string[]) =>
    damaged((path) => names.map((name) => rmSync(join(path, name), { recursive: true })));

  test.each<[what: string, path: () => string, code: ErrorCode]>([
    ["that does not exist", () => remove(""), "FILE_MISSING"],
    ["that is a file", () => train, "FILE_MISSING"],
    ["without config.json", () => remove("config.json"), "FILE_MISSING"],
    ["without a vocabulary", () => remove("vocab.txt", "tokenizer.json"), "FILE_MISSING"],
    [
      "whose tokenizer.json is no JSON",
      () => damaged((path) => writeFileSync(join(path, "tokenizer.json"), "{")),
      "TOKENIZER_MALFORMED",
    ],
    [
      "whose config.json is a folder",
      () => {
        const path = remove("config.json");
        mkdirSync(join(path, "config.json"));
        return path;
      },
      "FILE_MISSING",
    ],
  ])("%s", async (_, path, code) => {
    await expectError(open(path()), code);
  });
});
