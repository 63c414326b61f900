/** Bad input gets a clear error and loses nothing: every kind that can reach Cloze from outside, each with its code.
 * Model folders have a file of their own. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../src/base/errors.ts";
import { withoutDropout } from "../src/bert/config.ts";
import { prepareCorpus } from "../src/corpus/prepare.node.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { Parameters } from "../src/graph/parameters.ts";
import { sequenceClassification } from "../src/heads/sequence-classification.ts";
import { openTask } from "../src/tasks/definitions/open-task.node.ts";
import { textClassification } from "../src/tasks/definitions/text-classification.ts";
import { exportNative } from "../src/tasks/export-native.node.ts";
import type { FinetuneEvent, FinetuneOptions } from "../src/tasks/finetuning/finetune-options.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { evaluatePretraining } from "../src/tasks/pretraining/evaluate-pretraining.node.ts";
import { pretrain } from "../src/tasks/pretraining/pretrain.node.ts";
import { readLabelledTexts } from "../src/tasks/readers/labelled-texts.node.ts";
import { Predictor } from "../src/tasks/run/predictor.ts";
import { scorePredictions } from "../src/tasks/score-predictions.node.ts";
import { evaluate, finetune, sweep, type TaskOptions } from "../src/tasks/task-table.node.ts";
import { FeatureExtractor } from "../src/tasks/vectors/feature-extractor.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { trainVocabulary } from "../src/tokenizer/train-vocabulary.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { classifierParameters, examples, tinyConfig, VOCABULARY, writeRows, writeTinyModel } from "./tiny-model.ts";

let folder: string;
let model: string;
let train: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-bad-input-"));
  model = await writeTinyModel(join(folder, "model"));
  train = writeRows(join(folder, "train.jsonl"), examples(24));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A path that nothing is at. */
const fresh = (name = "") => join(folder, `${++count}${name}`);

function write(name: string, content: string | Uint8Array): string {
  const path = fresh(name);
  writeFileSync(path, content);
  return path;
}

/** A short training, apart from what the options say. */
function training(options: Partial<FinetuneOptions & TaskOptions<"text-classification">>): Promise<unknown> {
  return finetune("text-classification", {
    model,
    train,
    output: fresh(),
    epochs: 1,
    batchSize: 8,
    threads: 1,
    ...options,
  });
}

/** All files below a folder with their content. */
function contentOf(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), "base64")]),
  );
}

describe("a table of training data", () => {
  const good = "text\tlabel\ngood a\tpositive\nbad b\tnegative\n";
  const cases: [what: string, name: string, content: string | Uint8Array, code: ErrorCode, parts: string[]][] = [
    ["is empty", ".tsv", "", "FILE_EMPTY", [".tsv"]],
    ["has a header only", ".tsv", "text\tlabel\n", "FILE_EMPTY", [".tsv"]],
    ["lacks the text column", ".csv", "sentence,gold\na,b\n", "COLUMN_MISSING", ['"text"', '"sentence", "gold"']],
    ["lacks the label column", ".jsonl", '{"text":"a","y":1}\n', "COLUMN_MISSING", ['"label"', '"text", "y"']],
    ["has one label", ".tsv", "text\tlabel\na\tx\nb\tx\n", "LABELS_TOO_FEW", [".tsv", '"x"']],
    ["has no text at all", ".tsv", "text\tlabel\n \tx\n\ty\n", "TEXT_EMPTY", ["2 without text or label"]],
    ["has a row that is too short", ".tsv", `${good}good\n`, "ROW_MALFORMED", [".tsv, line 4"]],
    ["has a line that is no JSON", ".jsonl", '{"text":"a","label":"x"}\nb\n', "ROW_MALFORMED", [".jsonl, line 2"]],
    ["is no UTF-8", ".tsv", Buffer.from(`${good}caf\xe9\tpositive\n`, "latin1"), "INVALID_UTF8", ["line 4"]],
    ["is no table", "", "one\ntwo\n", "FORMAT_UNKNOWN", ["Parquet"]],
    ["is gzip cut short", ".tsv.gz", gzipSync(good).subarray(0, 30), "GZIP_TRUNCATED", [".tsv.gz"]],
    ["is no Parquet", ".parquet", "PAR1", "PARQUET_MALFORMED", [".parquet"]],
  ];

  test.each(cases)("that %s", async (_, name, content, code, parts) => {
    const output = fresh();
    await expectError(training({ train: write(name, content), output }), code, ...parts);
    expect(readdirSync(output)).toEqual([]);
  });

  test("whose lines have 10 MB is read as any other, TSV, CSV or JSON Lines", async () => {
    const text = "good bad ".repeat(1_200_000).trimEnd();
    for (const path of [
      write(".tsv", `text\tlabel\n${text}\tx\na\ty\n`),
      write(".csv", `text,label\n${text},x\na,y\n`),
      writeRows(fresh(".jsonl"), [
        { text, label: "x" },
        { text: "a", label: "y" },
      ]),
    ]) {
      const { examples } = await readLabelledTexts(path);
      expect(examples.map(({ input, gold }) => [input.text.length, gold])).toEqual([
        [text.length, "x"],
        [1, "y"],
      ]);
    }
    const file = writeRows(fresh(".jsonl"), [...examples(6), { text, label: "positive" }]);
    const events: FinetuneEvent[] = [];
    await training({ train: file, onEvent: (event) => void events.push(event) });
    expect(events).toContainEqual(expect.objectContaining({ kind: "data", examples: 7, truncated: 1 }));
  });

  test("that does not exist", async () => {
    await expectError(training({ train: join(folder, "none.tsv") }), "FILE_MISSING", "none.tsv does not exist");
    const below = join(train, "below.tsv");
    await expectError(training({ train: below }), "FILE_MISSING", `${below} does not exist`);
    await expectError(training({ train: folder }), "FILE_MISSING", `${folder} is a folder; expected a file`);
    const nowhere = join(folder, "nowhere");
    const missing = evaluate("text-classification", nowhere, train);
    await expectError(missing, "FILE_MISSING", `${nowhere} does not exist. Check the path.`);
    await expectError(evaluate("text-classification", train, train), "FILE_MISSING", `${train} is no folder`);
    await expectError(training({ dev: join(folder, "none.tsv") }), "FILE_MISSING", "none.tsv does not exist");
  });

  test("whose sets of labels have one that the other file's have not", async () => {
    const sets = (...labels: string[][]) => labels.map((set) => ({ text: "a", labels: set }));
    const train = writeRows(fresh(".jsonl"), sets(["x", "y"], [], ["y"]));
    const dev = writeRows(fresh(".jsonl"), sets([], ["y", "z"]));
    const training = finetune("multi-label-classification", { model, train, dev, output: fresh(), threads: 1 });
    await expectError(training, "LABEL_UNKNOWN", `${dev}, line 2`, '"x", "y"', '"z"', "Correct the label, or train");
  });

  test("whose sets of labels are all empty", async () => {
    const train = writeRows(fresh(".jsonl"), [{ text: "a", labels: [] }]);
    const training = finetune("multi-label-classification", { model, train, output: fresh(), threads: 1 });
    await expectError(training, "LABELS_TOO_FEW", `${train} has no labels`, "--label-column");
  });

  test("whose labels are not those of the other one", async () => {
    const dev = writeRows(fresh(".jsonl"), [...examples(1), { text: "so so", label: "neutral" }]);
    await expectError(training({ dev }), "LABEL_UNKNOWN", `${dev}, line 2`, '"negative", "positive"', '"neutral"');
    const classifier = await openTask(textClassification, model, { threads: 1 });
    await expectError(
      readLabelledTexts(dev).then(({ examples }) => classifier.evaluate(examples)),
      "LABEL_UNKNOWN",
      dev,
    );
    await classifier.dispose();
  });
});

describe("a file of another format", () => {
  const squad = {
    version: "1.1",
    data: [
      {
        title: "Kenya",
        paragraphs: [
          {
            context: "Nairobi.",
            qas: [{ id: "1", question: "Where?", answers: [{ text: "Nairobi", answer_start: 0 }] }],
          },
        ],
      },
    ],
  };
  const conll = "EU B-ORG\nrejects O\ncalls O\n. O\n\nPeter B-PER\nBlackburn I-PER\n";
  const tables = ["text-classification", "multi-label-classification", "regression", "multiple-choice"] as const;

  test.each(tables)("given to %s is named, with the task that reads it", async (task) => {
    const read = (train: string) => finetune(task, { model, train, output: fresh(), threads: 1 });
    for (const ending of [".json", ".jsonl", ".txt"]) {
      for (const content of [JSON.stringify(squad), JSON.stringify(squad, null, 2)]) {
        await expectError(read(write(ending, content)), "FORMAT_UNKNOWN", "SQuAD", "question-answering");
      }
    }
    for (const ending of [".conll", ".txt", ".tsv"]) {
      for (const content of [conll, conll.replaceAll(" ", "\t"), `-DOCSTART- -X- O\n\n${conll}`]) {
        await expectError(read(write(ending, content)), "FORMAT_UNKNOWN", "CoNLL", "token-classification");
      }
    }
  });

  test("given to question-answering or token-classification is refused", async () => {
    const table = write(".tsv", "text\tlabel\ngood a\tpositive\nbad b\tnegative\n");
    const lines = writeRows(fresh(".jsonl"), examples(3));
    const options = { model, maxLength: 64, threads: 1 };
    const answering = (train: string) => finetune("question-answering", { ...options, train, output: fresh() });
    await expectError(answering(table), "FORMAT_UNKNOWN", table, "a table of texts with labels", "text-classification");
    await expectError(answering(lines), "FORMAT_UNKNOWN", lines, "JSON Lines");
    await expectError(answering(write(".conll", conll)), "FORMAT_UNKNOWN");
    const tagging = (train: string) => finetune("token-classification", { ...options, train, output: fresh() });
    await expectError(tagging(lines), "FORMAT_UNKNOWN", lines, "text-classification");
    await expectError(tagging(write(".json", JSON.stringify(squad))), "FORMAT_UNKNOWN", "JSON");
    await expectError(tagging(write(".csv", "text,label\na,x\n")), "FORMAT_UNKNOWN", "text-classification");
  });
});

describe("a row of choices", () => {
  const header = "context,a,b,c,label";
  function choosing(rows: readonly string[], onEvent?: FinetuneOptions["onEvent"]) {
    const train = write(".csv", [header, ...rows].join("\n"));
    const columns = { contextColumn: "context", choiceColumns: ["a", "b", "c"] };
    return finetune("multiple-choice", { model, train, output: fresh(), ...columns, epochs: 1, threads: 1, onEvent });
  }

  test("may have fewer than another; one without a context or a choice to make is left out and counted", async () => {
    const rows = ["q,x,y,z,2", "q,x,y,,1", "q,,y,z,1"];
    const events: FinetuneEvent[] = [];
    await choosing([...rows, ",x,y,z,0", "q,x,,,0"], (event) => void events.push(event));
    const skipped = { "without a context and two choices": 2 };
    expect(events).toContainEqual(expect.objectContaining({ kind: "data", examples: 3, skipped, truncated: 0 }));
    await choosing([...rows, "q,x,y,z,"], (event) => void events.push(event));
    expect(events).toContainEqual(
      expect.objectContaining({ examples: 3, skipped: expect.objectContaining({ "without label": 1 }) }),
    );
  });

  test("whose label is no number of a choice names its place", async () => {
    await expectError(choosing(["q,x,y,z,0", "q,x,y,,2"]), "ROW_MALFORMED", "line 3", '"2", a choice that is empty');
    await expectError(choosing(["q,x,y,z,9"]), "ROW_MALFORMED", "line 2", "from 0 to 2", '"9"');
    await expectError(choosing(["q,x,y,z,x"]), "ROW_MALFORMED", "line 2", '"x"');
  });
});

describe("a score", () => {
  test.each(["much", "", "1e39", "NaN"])("of %j stops the training with its place", async (score) => {
    const train = write(".tsv", `text\tscore\na\t1\nb\t${score}\n`);
    const training = finetune("regression", { model, train, output: fresh(), threads: 1, onEmpty: "refuse" });
    await expectError(training, score === "" ? "TEXT_EMPTY" : "ROW_MALFORMED", `${train}, line 3`);
  });
});

describe("windows", () => {
  test("that would not advance stop a training before it begins", async () => {
    const output = fresh();
    const windows = training({ output, long: "windows", maxLength: 24, stride: 22 });
    await expectError(windows, "TRUNCATION_IMPOSSIBLE", "below 22", "stride");
    expect(readdirSync(output)).toEqual([]);
  });
});

describe("texts", () => {
  const rows = [
    { text: " ", label: "x" },
    ...examples(4),
    { text: "good", label: "" },
    { text: "good", label: null },
    { text: "good" },
  ];

  test("that are empty, or have no label, are left out and counted", async () => {
    const events: FinetuneEvent[] = [];
    const file = writeRows(fresh(".jsonl"), rows);
    await training({ train: file, onEvent: (event) => void events.push(event) });
    const places = [1, 6, 7, 8].map((line) => `${file}, line ${line}`);
    expect(events).toContainEqual({
      kind: "data",
      file,
      examples: 4,
      skipped: { "without text or label": 4 },
      places: { "without text or label": places },
      truncated: 0,
    });
  });

  test.each([
    [rows, "line 1", '"text"'],
    [rows.slice(1), "line 5", '"label"'],
    [[...examples(1), { text: null, label: "x" }], "line 2", '"text"'],
  ])("that are empty are refused on demand", async (some, line, column) => {
    const file = writeRows(fresh(".jsonl"), some);
    await expectError(training({ train: file, onEmpty: "refuse" }), "TEXT_EMPTY", `${file}, ${line}`, column);
  });

  test("that are too long are cut and counted", async () => {
    const file = writeRows(fresh(".jsonl"), [...examples(6), { text: "good ".repeat(99), label: "positive" }]);
    const events: FinetuneEvent[] = [];
    await training({ train: file, maxLength: 24, onEvent: (event) => void events.push(event) });
    expect(events).toContainEqual({
      kind: "data",
      file,
      examples: 7,
      skipped: { "without text or label": 0 },
      places: { "without text or label": [] },
      truncated: 1,
    });

    const classifier = await openTask(textClassification, model, { threads: 1 });
    const { results, truncated } = await classifier.answer([
      { text: "good ".repeat(199) },
      { text: "good ".repeat(126) },
    ]);
    expect(truncated).toBe(1);
    expect(results[0]).toEqual(results[1]);
    await classifier.dispose();
  });
});

describe("an option", () => {
  const wrong: [Partial<FinetuneOptions>, name: string][] = [
    [{ epochs: 0 }, "epochs"],
    [{ epochs: 1.5 }, "epochs"],
    [{ batchSize: 0 }, "batchSize"],
    [{ batchSize: Number.NaN }, "batchSize"],
    [{ accumulate: -1 }, "accumulate"],
    [{ patience: 0 }, "patience"],
    [{ checkpointEvery: 0.5 }, "checkpointEvery"],
    [{ seed: -1 }, "seed"],
    [{ warmupRatio: 2 }, "warmupRatio"],
    [{ learningRate: Number.NaN }, "learningRate"],
    [{ weightDecay: -0.1 }, "weightDecay"],
    [{ clipNorm: 0 }, "clipNorm"],
    [{ maxLength: 129 }, "128"],
    [{ maxLength: 0.5 }, "maxLength"],
    [{ resume: true, overwrite: true }, "--overwrite"],
    [{ model: "mini" }, "--vocab"],
  ];
  test.each(wrong)("of %j is OPTION_INVALID", async (options, name) => {
    await expectError(training(options), "OPTION_INVALID", name);
  });

  test("maxLength without room for a token", async () => {
    await expectError(training({ maxLength: 2 }), "OPTION_INVALID", "maxLength", "3 or more");
  });

  test("device that does not exist", async () => {
    const device: string = "abacus"; // as a caller without types can
    await expectError(
      pipeline("text-classification", model, { device: device as "cpu" }),
      "DEVICE_UNAVAILABLE",
      device,
    );
  });

  test("vocab of another size than the model's", async () => {
    const vocab = write(".txt", `${[...VOCABULARY, "ugly"].join("\n")}\n`);
    await expectError(training({ vocab }), "VOCABULARY_MISMATCH", "expected 59 tokens; got 60");
  });

  test.each<[content: string, code: ErrorCode]>([
    ["", "VOCABULARY_MALFORMED"],
    ["a\nb\n", "SPECIAL_TOKEN_MISSING"],
  ])("vocab of a preset that is %j", async (content, code) => {
    await expectError(training({ model: "tiny", vocab: write(".txt", content) }), code);
  });

  test("vocab that does not exist", async () => {
    await expectError(training({ model: "tiny", vocab: join(folder, "none") }), "FILE_MISSING", "none");
  });

  test("task that does not exist", async () => {
    const task: string = "juggling";
    await expectError(pipeline(task as "text-classification", model), "OPTION_INVALID", "juggling");
  });
});

describe("an option of another name", () => {
  const misspelt: object = { learnigRate: 5e-4 };
  const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);
  test.each<[name: string, call: () => Promise<unknown>]>([
    ["evaluate", () => evaluate("text-classification", model, train, misspelt)],
    ["evaluatePretraining", () => evaluatePretraining(model, { data: [train], ...misspelt })],
    ["exportNative", () => exportNative(model, { output: fresh(), precision: "fp32", ...misspelt })],
    ["FeatureExtractor.open", () => FeatureExtractor.open(model, misspelt)],
    ["finetune", () => training(misspelt)],
    ["pipeline", () => pipeline("text-classification", model, misspelt)],
    ["prepareCorpus", () => prepareCorpus({ sources: [train], tokenizer, output: fresh(), ...misspelt })],
    ["pretrain", () => pretrain({ data: [folder], model, output: fresh(), ...misspelt })],
    ["scorePredictions", () => scorePredictions({ predictions: train, data: train, ...misspelt })],
    ["trainVocabulary", () => trainVocabulary(["a"], { size: 9, ...misspelt })],
  ])("of %s is OPTION_INVALID", async (_, call) => {
    await expectError(call(), "OPTION_INVALID", "there is no option learnigRate; expected ");
  });
});

test("what a sweep chooses itself cannot be asked of it", async () => {
  const options: object = { epochs: 1 };
  const asked = sweep("text-classification", { train, folds: 2, output: fresh(), ...options });
  await expectError(asked, "OPTION_INVALID", "no option epochs of a sweep", "epochCounts");
});

describe("ids", () => {
  const batch = (ids: number[], typeIds = ids.map(() => 0)) => [
    { ids: Int32Array.from(ids), typeIds: Int32Array.from(typeIds) },
  ];
  test.each([
    ["a token", batch([2, 59, 3]), "ids[1]", "0 to 58"],
    ["a negative token", batch([2, -1, 3]), "ids[1]", "0 to 58"],
    ["a segment", batch([2, 3], [0, 2]), "typeIds[1]", "0 to 1"],
    ["a position", batch(new Array(129).fill(7)), "positions[0]", "at most 128"],
    ["a sequence without tokens", [...batch([2, 3]), ...batch([])], "lengths", "at least 1"],
  ])("%s out of range", async (_, sequences, ...parts) => {
    const config = tinyConfig();
    const parameters = new Parameters(classifierParameters(config));
    const { logits } = sequenceClassification(withoutDropout(config), { labels: 2 });
    const predictor = await Predictor.load({ logits }, parameters, onnxExecutor({ threads: 1 }), { frozen: false });
    await expectError(
      predictor.run(sequences, () => undefined),
      "ID_OUT_OF_RANGE",
      ...parts,
    );
    await predictor.dispose();
  });
});

describe("an output folder", () => {
  test("that is not empty stays as it is", async () => {
    const output = fresh();
    mkdirSync(output);
    writeFileSync(join(output, "README.md"), "mine");
    await expectError(training({ output }), "OUTPUT_NOT_EMPTY", "README.md", "--resume", "--overwrite");
    await expectError(training({ output, resume: true }), "NOTHING_TO_RESUME", "README.md");
    const bad = write(".tsv", "");
    await expectError(training({ output, train: bad, overwrite: true }), "FILE_EMPTY");
    expect(contentOf(output)).toEqual({ [join(output, "README.md")]: Buffer.from("mine").toString("base64") });
    await training({ output, overwrite: true });
    expect(readFileSync(join(output, "README.md"), "utf8")).not.toBe("mine");
  });

  test("that is a file", async () => {
    await expectError(training({ output: train }), "FILE_NOT_WRITABLE", train);
  });

  test("on a disk that fills up: the last checkpoint stays, and goes on once there is room", async ({ skip }) => {
    const output = fresh();
    mkdirSync(output);
    const mount = (options: string) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", output]);
    const mounted = mount("size=320k"); // room for one checkpoint of some 200 kB
    if (mounted.status !== 0) skip(`cannot mount a small tmpfs here: ${mounted.stderr ?? mounted.error}`);
    try {
      await expectError(training({ output, epochs: 3 }), "DISK_FULL", "what was there before is unchanged");
      const last = join(output, "checkpoints", "step-3");
      expect(JSON.parse(readFileSync(join(last, "state.json"), "utf8"))).toMatchObject({ step: 3 });
      expect(readdirSync(join(output, "checkpoints"))).toEqual(["step-3"]);
      expect(mount("remount,size=4m").status).toBe(0);
      await training({ output, epochs: 3, resume: true });

      const undisturbed = fresh();
      await training({ output: undisturbed, epochs: 3 });
      const [here, there] = [output, undisturbed].map((path) => readFileSync(join(path, "model.safetensors")));
      expect(here!.equals(there!)).toBe(true);
    } finally {
      spawnSync("umount", [output]);
    }
  });
});

describe("the command line", () => {
  const run = ["--epochs", "1", "--threads", "1"];
  const cases: [code: ErrorCode, args: () => string[]][] = [
    [
      "FILE_MISSING",
      () => ["finetune", "text-classification", "--model", model, "--train", "none.tsv", "--output", fresh(), ...run],
    ],
    ["COLUMN_MISSING", () => ["evaluate", model, "--data", train, "--text-column", "sentence"]],
    ["LABEL_UNKNOWN", () => ["evaluate", model, "--data", writeRows(fresh(".jsonl"), [{ text: "a", label: "b" }])]],
    ["TEXT_EMPTY", () => ["predict", model, "--on-empty", "refuse", "--input", write(".txt", "good\n\n")]],
    ["FILE_EMPTY", () => ["predict", model, "--input", write(".txt", "")]],
    ["INVALID_UTF8", () => ["vocab", write(".txt", Uint8Array.of(0x61, 0xff)), "--output", fresh()]],
    ["TEXT_EMPTY", () => ["predict", model, "--on-empty", "refuse", "good", " "]],
    ["OUTPUT_NOT_EMPTY", () => ["vocab", "none.txt", "--output", model]],
    ["FILE_NOT_WRITABLE", () => ["vocab", train, "--output", train]],
    ["FILE_NOT_WRITABLE", () => ["predict", model, "good", "--output", join(folder, "none", "out.jsonl")]],
    ["SAFETENSORS_HEADER", () => ["info", damagedModel()]],
  ];

  function damagedModel(): string {
    const damaged = fresh();
    cpSync(model, damaged, { recursive: true });
    writeFileSync(join(damaged, "model.safetensors"), "?");
    return damaged;
  }

  test.concurrent.each(cases)("says %s in one line and exits with 1", async (code, args) => {
    const { stdout, stderr, ...outcome } = await cloze(args());
    expect(stderr).toMatch(new RegExp(`^cloze: .*\\[${code}\\]\n$`));
    expect(stdout).toBe("");
    expect(outcome).toMatchObject({ code: 1 });
  });

  test.concurrent("leaves an output file as it is where the model fails", async () => {
    const output = write(".jsonl", "mine");
    const { code } = await cloze(["predict", damagedModel(), "good", "--output", output]);
    expect([code, readFileSync(output, "utf8")]).toEqual([1, "mine"]);
  });

  test.concurrent("calls options by the names that the command line has for them", async () => {
    const finetuning = ["finetune", "text-classification", "--model", model, "--train", train, "--output", fresh()];
    const { code, stderr } = await cloze([...finetuning, "--freeze-layers", "9"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("cloze: --freeze-layers is out of range")]);
  });

  test.concurrent("names a device that does not exist, and exits with 2", async () => {
    const output = fresh();
    const { code, stdout, stderr } = await cloze([
      "finetune",
      "text-classification",
      "--model",
      model,
      "--train",
      train,
      "--output",
      output,
      "--device",
      "cuda",
    ]);
    expect(stderr).toContain("'cuda' is invalid. Allowed choices are cpu, onnx, webgpu, auto");
    expect({ code, stdout, made: existsSync(output) }).toEqual({ code: 2, stdout: "", made: false });
  });
});
