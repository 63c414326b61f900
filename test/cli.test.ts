/** The command line as scripts rely on it: exit codes, JSON, formats of files, what goes to which stream. */
import { closeSync, cpSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAddon, loadAddon } from "../src/executors/native/addon.node.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import type { TextClassificationPipeline } from "../src/tasks/pipelines/classification-pipeline.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { loadTokenizer } from "../src/tokenizer/folder.node.ts";
import { cloze, type Outcome } from "./command-line.ts";
import {
  classifierParameters,
  type Example,
  examples,
  LABELS,
  tinyConfig,
  writeRows,
  writeTinyModel,
} from "./tiny-model.ts";

let folder: string;
let start: string;
/** The model that the command line made, with the files that it was made from. */
let model: string;
let finetuned: Outcome;
const recipe = "--epochs 6 --batch-size 6 --learning-rate 3e-3 --threads 1".split(" ");
const train = examples(60);
/** Three of the labels are wrong, so that figures differ from 1 and from one another. */
const dev = examples(30, 2).map(({ text, label }, i) => ({ text, label: i % 10 === 0 ? opposite(label) : label }));

function opposite(label: string): string {
  return label === "positive" ? "negative" : "positive";
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-cli-"));
  start = await writeTinyModel(join(folder, "start"), { range: 0.1 });
  model = join(folder, "model");
  const files = ["--train", write("train.tsv", delimited(train, "\t")), "--dev", write("dev.csv", delimited(dev, ","))];
  finetuned = await cloze([
    "finetune",
    "text-classification",
    "--model",
    start,
    ...files,
    "--output",
    model,
    ...recipe,
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

function delimited(rows: readonly Example[], separator: string): string {
  const lines = rows.map(({ text, label }) => `${label}${separator}${text}\n`);
  return [`label${separator}text\n`, ...lines].join("");
}

/** Runs a command that must succeed without a word on standard error; returns its output. */
async function run(args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await cloze(args, { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** The same for evaluate over 30 examples, which says on standard error when it is done. */
async function evaluate(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cloze(["evaluate", ...args]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^evaluating 30\/30 {2}sequences {2}.*\n$/),
  });
  return stdout;
}

function parseLines(text: string): unknown[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("help and usage", () => {
  test.concurrent.each([
    "vocab",
    "finetune text-classification",
    "evaluate",
    "predict",
    "info",
  ])("%s --help shows an example", async (name) => {
    const help = await run([...name.split(" "), "--help"]);
    expect(help).toMatch(new RegExp(`Usage: cloze ${name} .*Examples?:\n  \\$ cloze ${name} `, "s"));
    expect(help).toContain("--json");
    expect(await run(["--help"])).toContain(`  ${name.split(" ")[0]} `);
  });

  test.concurrent("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
    expect(await run(["--version"])).toBe(`${version}\n`);
  });

  const finetune = [
    "finetune",
    "text-classification",
    "--model",
    "mini",
    "--train",
    "t.tsv",
    "--output",
    "/dev/null/no",
  ];
  test.concurrent.each<[args: string[], complaint: string]>([
    [[], "Usage: cloze"],
    [["juggle"], "unknown command 'juggle'"],
    [["info"], "either a model folder or --system"],
    [["info", "m", "--system"], "either a model folder or --system"],
    [["vocab", "a.txt"], "required option '--output <dir>'"],
    [["vocab", "a.txt", "--output", "o", "--size", "many"], "whole number"],
    [["evaluate", "m"], "required option '--data <file>'"],
    [["predict", "m", "text", "--input", "a.txt"], "not both"],
    [["predict", SHIPPED_MODEL, "text", "--pair-column", "b"], "[OPTION_INVALID]"],
    [["predict", SHIPPED_MODEL, "--pair-column", "b", "--input", "a.txt"], "[OPTION_INVALID]"],
    [["predict", "m", "--top"], "unknown option '--top'"],
    [finetune.slice(0, 4), "required option '--train <file>'"],
    [["finetune", "juggling", ...finetune.slice(2)], "unknown command 'juggling'"],
    [[...finetune, "--epochs", "0"], "above 0"],
    [[...finetune, "--learning-rate", "-1"], "above 0"],
    [[...finetune, "--warmup-ratio", "1.1"], "0 to 1"],
    [[...finetune, "--clip-norm", "0"], "above 0"],
    [[...finetune, "--seed", "x"], "whole number"],
    [[...finetune, "--on-empty", "cry"], "Allowed choices are skip, refuse"],
    [[...finetune, "--resume", "--overwrite"], "[OPTION_INVALID]"],
  ])("%j is a usage error", async (args, complaint) => {
    const { code, stdout, stderr } = await cloze(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });
});

describe("finetune", () => {
  test("prints the figures and what to try next; how it goes, in plain lines, to standard error", () => {
    const { code, stdout, stderr } = finetuned;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^accuracy +0\.\d{4}$/m);
    expect(stdout).toContain(`cloze predict ${model}`);
    const lines = stderr.split("\n");
    expect(lines.slice(0, 3)).toEqual([
      `${at("train.tsv")}: 60 examples`,
      `${at("dev.csv")}: 30 examples`,
      expect.stringMatching(/^\d\d,\d{3} parameters, labels negative, positive$/),
    ]);
    expect(stderr).toMatch(/^training 60\/60 {2}loss \d\.\d{3} {2}[\d,]+ tokens\/s {2}\d+s taken$/m);
    expect(lines.filter((line) => /^epoch \d: loss \d\.\d{4}, dev score \d\.\d{4}$/.test(line))).toHaveLength(6);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u); // neither a bar nor colours
  });

  test("writes the files of a model, its figures and its card", async () => {
    const metrics = JSON.parse(readFileSync(join(model, "metrics.json"), "utf8"));
    expect(metrics).toMatchObject({ task: "text-classification", labels: LABELS, examples: 30 });
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
    expect(config).toMatchObject({
      architectures: ["BertForSequenceClassification"],
      model_type: "bert",
      id2label: { 0: "negative", 1: "positive" },
      label2id: { negative: 0, positive: 1 },
    });
    const card = readFileSync(join(model, "README.md"), "utf8");
    expect(card).toContain(`| accuracy | ${Number(metrics.accuracy.toPrecision(4))} |`);
    expect(card).toMatch(
      /^\| label \| precision \| recall \| F1 \| examples \|\n\|(?:---\|){5}\n\| negative(?: \| [\d.]+){4} \|$/m,
    );
    expect(card).toContain("| learningRate | 0.003 |");
    for (const picture of ["curves.svg", "confusion.svg"]) {
      expect(card).toMatch(new RegExp(`^!\\[[^\\]]+\\]\\(${picture}\\)$`, "m"));
      expect(readFileSync(join(model, picture), "utf8")).toMatch(/^<svg .*<\/svg>\s*$/s);
    }
    const logs = readdirSync(model).filter((name) => /^events\.out\.tfevents\.\d+\.cloze$/.test(name));
    expect(logs).toHaveLength(1);
    expect(readFileSync(join(model, logs[0]), "latin1")).toContain("dev/loss");
    expect((await loadTokenizer(model)).vocabulary.tokens).toEqual((await loadTokenizer(start)).vocabulary.tokens);
  });

  test("of pairs, with --json, learns from both texts", async () => {
    // The label is told by the second text alone.
    const pairs = (rows: Example[]) => rows.map(({ text, label }) => ({ one: "so so", two: text, gold: label }));
    const columns = "--text-column one --pair-column two --label-column gold".split(" ");
    const data = [
      "--train",
      writeRows(at("pairs.jsonl"), pairs(train)),
      "--dev",
      writeRows(at("pairs-dev.jsonl"), pairs(dev)),
    ];
    const output = at("pair-model");
    const args = [
      "finetune",
      "text-classification",
      "--model",
      start,
      ...data,
      ...columns,
      "--output",
      output,
      "--json",
    ];
    const { code, stdout } = await cloze([...args, ...recipe]);
    const result = JSON.parse(stdout);
    expect({ code, ...result }).toMatchObject({
      code: 0,
      output,
      labels: LABELS,
      steps: 60,
      metrics: { examples: 30 },
    });
    expect(result.metrics.accuracy).toBeGreaterThan(0.8);
    const evaluated = await evaluate(output, "--data", at("pairs-dev.jsonl"), ...columns, "--json");
    expect(JSON.parse(evaluated).confusion).toEqual(result.metrics.confusion);
  });
});

test.concurrent("finetune's --clip-norm reaches the recipe, and is 1 unless told", async () => {
  const clipNormOf = async (...options: string[]) => {
    const output = at(`clipped-${options.length}`);
    const files = ["--model", start, "--train", at("train.tsv"), "--output", output];
    const { code } = await cloze(["finetune", "text-classification", ...files, ...recipe, "--epochs", "1", ...options]);
    expect(code).toBe(0);
    return JSON.parse(readFileSync(join(output, "training.json"), "utf8")).settings.clipNorm;
  };
  expect(await Promise.all([clipNormOf("--clip-norm", "0.5"), clipNormOf()])).toEqual([0.5, 1]);
});

describe("evaluate", () => {
  test("finds the figures of the best checkpoint, which finetune wrote", async () => {
    const { task, step, ...metrics } = JSON.parse(readFileSync(join(model, "metrics.json"), "utf8"));
    const evaluated = JSON.parse(await evaluate(model, "--data", at("dev.csv"), "--json"));
    const { loss, skipped, places, truncated, ...figures } = evaluated;
    expect({ skipped, places, truncated }).toEqual({
      skipped: { "without text or label": 0 },
      places: { "without text or label": [] },
      truncated: 0,
    });
    expect(figures).toEqual({ ...metrics, loss: undefined });
    expect(loss).toBeCloseTo(metrics.loss, 6);
    expect(step).toBeLessThan(60); // the best one is not the last, so that a mix-up would show
    expect(metrics.accuracy).toBeCloseTo(0.9, 1);
  });

  test("says how many texts it left out or cut", async () => {
    const rows = [...dev, { text: "bad ".repeat(200), label: "negative" }, { text: " ", label: "negative" }];
    const file = writeRows(at("uneven.jsonl"), rows);
    const { stdout, stderr } = await cloze(["evaluate", model, "--data", file, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      skipped: { "without text or label": 1 },
      truncated: 1,
      examples: 31,
    });
    const told = `1 without text or label skipped (first: ${file}, line 32), 1 longer than the maximum length, cut`;
    expect(stderr).toContain(`${file}: ${told}\n`);
  });

  test("prints them as a table", async () => {
    const { accuracy, confusion } = JSON.parse(readFileSync(join(model, "metrics.json"), "utf8"));
    const table = await evaluate(model, "--data", at("dev.csv"));
    expect(table).toMatch(new RegExp(`^accuracy +${accuracy.toFixed(4)}$`, "m"));
    const rows = table
      .split("\n")
      .slice(-3, -1)
      .map((line) => line.split(/ +/));
    expect(rows).toEqual(LABELS.map((label, i) => [label, ...confusion[i].map(String)]));
  });
});

describe("predict", () => {
  const texts = dev.slice(0, 9).map(({ text }) => text);
  let expected: string;
  /** The same model, whose folder does not say whether it was trained on pairs. */
  let untold: string;
  let classify: TextClassificationPipeline;
  beforeAll(async () => {
    expected = await run(["predict", model, ...texts]);
    untold = at("untold");
    cpSync(model, untold, { recursive: true });
    const { task_specific_params: _, ...config } = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
    writeFileSync(join(untold, "config.json"), JSON.stringify(config));
    classify = await pipeline("text-classification", untold, { threads: 1 });
  });
  afterAll(() => classify.dispose());

  /** What predict prints for a text, or for a pair, by the library. */
  async function byLibrary(text: string, pair?: string): Promise<unknown> {
    const all = await classify(pair === undefined ? text : { text, text_pair: pair }, { top_k: null });
    const scores = Object.fromEntries(all.map(({ label, score }) => [label, score]));
    return { text, ...(pair !== undefined && { pair }), ...all[0], scores };
  }

  test("gives a line of JSON for each text, in order, with the numbers of the library", async () => {
    expect(parseLines(expected)).toEqual(await Promise.all(texts.map((text) => byLibrary(text))));
    expect(new Set(parseLines(expected).map((line) => JSON.stringify(Object.keys(Object(line)))))).toEqual(
      new Set(['["text","label","score","scores"]']),
    );
  });

  const rows = texts.map((text) => ({ text }));
  const plain = `${texts.join("\n")}\n`;
  const jsonl = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const parquet = () =>
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "text", data: texts, type: "STRING" }] }));
  test.concurrent.each<[name: string, content: () => string | Uint8Array]>([
    ["in.txt", () => plain],
    ["in.txt.gz", () => gzipSync(plain)],
    ["in.csv", () => `text\r\n${texts.map((text) => `"${text}"`).join("\r\n")}\r\n`],
    ["in.csv.gz", () => gzipSync(`text\n${plain}`)],
    ["in.tsv", () => `id\ttext\n${texts.map((text, i) => `${i}\t${text}\n`).join("")}`],
    ["in.jsonl", () => jsonl],
    ["in.ndjson.gz", () => gzipSync(jsonl)],
    ["in.parquet", parquet],
    ["in.parquet.gz", () => gzipSync(parquet())],
  ])("reads %s", async (name, content) => {
    expect(await run(["predict", model, "--input", write(name, content())])).toBe(expected);
  });

  test.concurrent("reads standard input", async () => {
    expect(await run(["predict", model], plain)).toBe(expected);
  });

  test.concurrent("refuses a folder as standard input", async ({ skip }) => {
    if (process.platform === "win32") skip("Windows cannot open a folder");
    const descriptor = openSync(folder, "r");
    const { code, stdout, stderr } = await cloze(["predict", model], { descriptor });
    closeSync(descriptor);
    const message = "cloze: standard input is a folder; expected a file. Name a file in it. [FILE_MISSING]\n";
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: message });
  });

  test.concurrent("keeps the order of more texts than are classified at once, in a file", async () => {
    const many = Array.from({ length: 1100 }, (_, i) => `${texts[i % texts.length]} ${"abc"[i % 3]}`);
    const output = at("out.jsonl");
    const { code, stdout, stderr } = await cloze(["predict", model, "--output", output], { input: many.join("\n") });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: `${output}: 1100 predictions\n` });
    const lines = parseLines(readFileSync(output, "utf8"));
    expect(lines).toMatchObject(many.map((text) => ({ text })));
    for (const i of [0, 500, 1023, 1024, 1099]) expect(lines[i]).toEqual(await byLibrary(many[i]));
  });

  test.concurrent("takes pairs and columns of other names", async () => {
    const file = write("pairs.csv", 'q,a\n"good, ""yes""\nor so",bad\nbad,good\n');
    const lines = await run(["predict", untold, "--input", file, "--text-column", "q", "--pair-column", "a"]);
    expect(parseLines(lines)).toEqual([await byLibrary('good, "yes"\nor so', "bad"), await byLibrary("bad", "good")]);
  });

  test.concurrent("takes quotes in TSV as they are", async () => {
    const file = write("quotes.tsv", 'text\n"good" so\n');
    expect(await run(["predict", model, "--input", file])).toContain(String.raw`{"text":"\"good\" so",`);
  });

  test.concurrent("says how many texts it left out or cut", async () => {
    const { stdout, stderr } = await cloze(["predict", model], { input: `good\n\n \n${"bad ".repeat(200)}\n` });
    expect(parseLines(stdout)).toHaveLength(2);
    expect(stderr).toBe(
      "2 without text skipped (first: standard input, line 2)\n1 longer than the maximum length, cut\n",
    );
  });

  test.concurrent("leaves out empty arguments and pairs with an empty half", async () => {
    const given = await cloze(["predict", model, "", "good", " "]);
    expect(parseLines(given.stdout)).toMatchObject([{ text: "good" }]);
    expect(given.stderr).toBe("2 without text skipped (first: text 1)\n");
    const file = write("halves.csv", "text,other\ngood,\ngood,bad\n");
    const pairs = await cloze(["predict", untold, "--input", file, "--pair-column", "other"]);
    expect(parseLines(pairs.stdout)).toMatchObject([{ text: "good", pair: "bad" }]);
    expect(pairs.stderr).toBe(`1 without text skipped (first: ${file}, line 2)\n`);
  });

  test.concurrent("ends quietly when its reader does", async () => {
    const running = cloze(["predict", model], { input: plain.repeat(500) });
    running.child.stdout?.once("data", () => running.child.stdout?.destroy());
    expect(await running).toMatchObject({ code: 0, stderr: "" });
  });

  test.concurrent("stops at once on an interrupt while it waits for input", async () => {
    const running = cloze(["predict", model], { open: true });
    running.child.stdin?.write(plain.repeat(200)); // more than are classified at once
    running.child.stdout?.once("data", () => running.child.kill("SIGINT"));
    expect(await running).toMatchObject({ code: 1, signal: null, stderr: expect.stringMatching(/\[ABORTED\]\n$/) });
  });
});

describe("info", () => {
  test("prints configuration, weights and size", async () => {
    const { parameters, bytes, weights, vocabulary, ...info } = JSON.parse(await run(["info", model, "--json"]));
    expect(info).toMatchObject({ config: { hidden_size: 32, num_hidden_layers: 1 }, labels: LABELS });
    expect(info).toMatchObject({ task: "text-classification", maxLength: 128 });
    expect({ bytes, vocabulary, count: weights.length }).toEqual({ bytes: 4 * parameters, vocabulary: 59, count: 25 });
    const specs = classifierParameters(tinyConfig()).map(({ name, shape }) => ({ name, shape, dtype: "F32" }));
    expect(weights).toMatchObject(specs);
    const text = await run(["info", model]);
    expect(text).toMatch(/^task +text-classification$/m);
    expect(text).toMatch(/^maximum length +128$/m);
    expect(text).toMatch(/^classifier\.weight +F32 \[2, 32\] +64$/m);
    expect(text).toMatch(new RegExp(`^${parameters.toLocaleString("en")} parameters, 0\\.1 MB$`, "m"));
  });

  test("--system tells what there is to compute with, and how fast that is", async ({ skip }) => {
    if (!hasAddon()) skip("the native kernels were not built");
    const { executors, ...machine } = JSON.parse(await run(["info", "--system", "--json"]));
    expect(machine).toEqual({
      platform: `${process.platform}-${process.arch}`,
      node: process.versions.node,
      processor: expect.any(String),
      threads: availableParallelism(),
      memory: totalmem(),
    });
    const sets = loadAddon().instructionSets;
    const speed = expect.any(Number);
    const speeds = sets[0].bfloat16 ? { float32: speed, bfloat16: speed } : { float32: speed };
    const instructionSets = sets.map(({ name, bfloat16, int8 }) => ({
      name,
      products: ["float32", ...(bfloat16 ? ["bfloat16"] : []), ...(int8 ? ["int8"] : [])],
    }));
    const [{ name: instructionSet, products }] = instructionSets;
    expect(executors).toEqual({
      native: {
        ...{ instructionSets, instructionSet, flopPerSecond: speeds },
        ...(sets[0].int8 ? { opPerSecond: { int8: speed } } : {}),
      },
      onnx: { flopPerSecond: { float32: speed } },
    });
    const text = await run(["info", "--system"]);
    expect(text).toMatch(
      new RegExp(`^instruction sets +${instructionSet} \\(${products.join(", ")}\\), .*portable \\(float32\\)$`, "m"),
    );
    expect(text).toMatch(
      new RegExp(`^native, ${instructionSet} +[\\d.]+ +[\\d.-]+ +[\\d.-]+\nonnx +[\\d.]+ +- +-$`, "m"),
    );
  });
});

describe("vocab", () => {
  const text = examples(300).map(({ text }) => text);

  test("makes the same vocabulary from the same texts, whatever holds them", async () => {
    const [one, two] = [at("vocab-1"), at("vocab-2")];
    mkdirSync(two);
    const files = [
      write("a.txt", text.slice(0, 100).join("\n")),
      write("b.txt.gz", gzipSync(text.slice(100).join("\n"))),
    ];
    const table = writeRows(
      at("texts.jsonl"),
      text.map((line) => ({ body: line })),
    );
    const first = await cloze(["vocab", ...files, "--size", "100", "--output", one, "--json"]);
    const second = await cloze(["vocab", table, "--text-column", "body", "--size", "100", "--output", two]);
    expect(JSON.parse(first.stdout)).toMatchObject({ output: one, tokens: 100 });
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/100 tokens from \d+ words/) });
    expect(first.stderr).toMatch(/^merging 100\/100 {2}tokens/m);

    for (const name of ["vocab.txt", "tokenizer.json", "tokenizer_config.json"]) {
      expect(readFileSync(join(two, name), "utf8")).toBe(readFileSync(join(one, name), "utf8"));
    }
    const tokenizer = await loadTokenizer(one);
    expect(tokenizer.encode("Good BAD").tokens).toEqual(["[CLS]", "good", "bad", "[SEP]"]);
  });

  test("replaces a vocabulary on demand only", async () => {
    const output = at("vocab-anew");
    const file = write("anew.txt", "good good bad bad");
    const make = (size: string, ...more: string[]) =>
      cloze(["vocab", file, "--size", size, "--output", output, ...more]);
    expect((await make("30")).code).toBe(0);
    const before = readFileSync(join(output, "vocab.txt"), "utf8");
    expect(await make("14")).toMatchObject({ code: 1, stderr: expect.stringContaining("[OUTPUT_NOT_EMPTY]") });
    expect(readFileSync(join(output, "vocab.txt"), "utf8")).toBe(before);
    expect((await make("14", "--overwrite")).code).toBe(0);
    expect((await loadTokenizer(output)).vocabulary.tokens).toHaveLength(14);
  });

  test("keeps case with --cased", async () => {
    const file = write("cased.txt", "Good good Good good");
    await cloze(["vocab", file, "--size", "50", "--output", at("cased"), "--cased"]);
    expect((await loadTokenizer(at("cased"))).encode("Good good").tokens).toEqual(["[CLS]", "Good", "good", "[SEP]"]);
  });
});
