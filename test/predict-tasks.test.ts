/** `cloze predict` with a pre-trained model: which task it takes for which model, and what each task prints. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { examples, writeRows, writeTinyModel, writeTinyPretrainedModel } from "./tiny-model.ts";

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-predict-"));
  model = await writeTinyPretrainedModel(join(folder, "model"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** The lines that a command prints, which must succeed without a word on standard error. */
async function predict(args: readonly string[], input = ""): Promise<unknown[]> {
  const { code, stdout, stderr } = await cloze(["predict", ...args], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const options = { threads: 1 };
const masked = ["a [MASK] day", "[MASK] good [MASK]"];

describe("fill-mask", () => {
  /** What the command prints for texts, by the library. */
  async function byLibrary(texts: readonly string[], top_k?: number, targets?: string[]): Promise<unknown[]> {
    const fill = await pipeline("fill-mask", model, options);
    const results = await fill(texts, { top_k, targets });
    await fill.dispose();
    return texts.map((text, i) => ({ text, masks: Array.isArray(results[i][0]) ? results[i] : [results[i]] }));
  }

  test.concurrent("is the task of a pre-trained model: a list of candidates for each mask", async () => {
    const lines = await predict([model, ...masked]);
    expect(lines).toEqual(await byLibrary(masked));
    expect(lines).toMatchObject([{ masks: [{ length: 5 }] }, { masks: [{ length: 5 }, { length: 5 }] }]);
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
    expect(config.architectures).toEqual(["BertForPreTraining"]);
    const withoutPairs = await writeTinyPretrainedModel(join(folder, "without-pairs"), { withoutPairs: true });
    expect(await predict([withoutPairs, ...masked])).toMatchObject([{ masks: [{}] }, { masks: [{}, {}] }]);
  });

  test.concurrent("takes --top-k and --targets", async () => {
    expect(await predict([model, ...masked, "--top-k", "2"])).toEqual(await byLibrary(masked, 2));
    const targets = await predict([model, ...masked, "--targets", "good, bad,x"]);
    expect(targets).toEqual(await byLibrary(masked, 5, ["good", "bad", "x"]));
  });

  test.concurrent("reads files and standard input, and writes files", async () => {
    const expected = await byLibrary(masked);
    expect(await predict([model], masked.join("\n"))).toEqual(expected);
    expect(await predict([model, "--input", write("in.txt.gz", gzipSync(masked.join("\n")))])).toEqual(expected);
    const rows = writeRows(
      join(folder, "in.jsonl"),
      masked.map((body) => ({ body })),
    );
    const output = join(folder, "out.jsonl");
    const args = ["predict", model, "--input", rows, "--text-column", "body", "--output", output];
    expect(await cloze(args)).toMatchObject({ code: 0, stdout: "", stderr: `${output}: 2 predictions\n` });
    expect(readFileSync(output, "utf8")).toBe(expected.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });

  test.concurrent("says how many texts the model did not see whole", async () => {
    const { stderr } = await cloze(["predict", model, `${"good ".repeat(200)}[MASK]`, "[MASK]"]);
    expect(stderr).toBe("1 longer than the maximum length, cut\n");
  });
});

test.concurrent("next-word keeps the blank that a text ends in", async () => {
  const texts = ["a go", "a go "];
  const next = await pipeline("next-word", model, options);
  const expected = (await next(texts, { top_k: 3 })).map((words, i) => ({ text: texts[i], words }));
  await next.dispose();
  expect(await predict([model, "--task", "next-word", "--top-k", "3", ...texts])).toEqual(expected);
  expect(await predict([model, "--task", "next-word", "--top-k", "3"], texts.join("\n"))).toEqual(expected);
});

test.concurrent("next-sentence takes the texts of the command line two by two", async () => {
  const follows = await pipeline("next-sentence", model, options);
  const scores = await follows([
    { text: "good", text_pair: "bad" },
    { text: "a day", text_pair: "b" },
  ]);
  await follows.dispose();
  const lines = await predict([model, "--task", "next-sentence", "--threads", "1", "good", "bad", "a day", "b"]);
  expect(lines).toEqual([
    { text: "good", pair: "bad", ...scores[0] },
    { text: "a day", pair: "b", ...scores[1] },
  ]);
});

test.concurrent("next-sentence takes the pairs of a table", async () => {
  const pairs = examples(4).map(({ text, label }) => ({ text, pair: label }));
  const follows = await pipeline("next-sentence", model, options);
  const scores = await follows(pairs.map(({ text, pair }) => ({ text, text_pair: pair })));
  await follows.dispose();
  const args = ["--task", "next-sentence", "--input", writeRows(join(folder, "pairs.jsonl"), pairs)];
  expect(await predict([model, ...args, "--pair-column", "pair"])).toEqual(
    pairs.map((pair, i) => ({ ...pair, ...scores[i] })),
  );
});

test.concurrent("pseudo-log-likelihood, of more texts than are judged at once", async () => {
  const texts = examples(1030).map(({ text }) => text);
  const judge = await pipeline("pseudo-log-likelihood", model, options);
  const some = [0, 1, 1023, 1024, 1029];
  const expected = await judge(some.map((i) => texts[i]));
  await judge.dispose();
  const lines = await predict([model, "--task", "pseudo-log-likelihood", "--threads", "1"], texts.join("\n"));
  expect(lines).toMatchObject(texts.map((text) => ({ text, tokens: expect.any(Number) })));
  expect(some.map((i) => lines[i])).toEqual(some.map((i, at) => ({ text: texts[i], ...expected[at] })));
});

describe("models of pairs", () => {
  let entailment: string;
  beforeAll(async () => {
    entailment = await writeTinyModel(join(folder, "entailment"), { labels: ["contradiction", "entailment"] });
  });

  test.concurrent("judge the texts of the command line two by two with --pairs", async () => {
    const classify = await pipeline("text-classification", entailment, options);
    const [{ label, score }] = await classify({ text: "a day", text_pair: "good" });
    await classify.dispose();
    const lines = await predict([entailment, "--threads", "1", "--pairs", "a day", "good", "a b", "bad"]);
    expect(lines).toMatchObject([
      { text: "a day", pair: "good", label, score },
      { text: "a b", pair: "bad" },
    ]);
    expect(await cloze(["predict", entailment, "--pairs"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--pair-column"),
    });
  });

  test.concurrent("zero-shot-classification ranks labels that the model never had", async () => {
    const classify = await pipeline("zero-shot-classification", entailment, options);
    const chosen = { hypothesis_template: "a {} day" };
    const { labels, scores } = await classify("a day", ["good", "bad"], chosen);
    // @ts-expect-error: not a list
    await expectError(classify("a day", "good"), "OPTION_INVALID", "a list of texts", 'got "good"');
    // @ts-expect-error: not of texts
    await expectError(classify("a day", [1]), "OPTION_INVALID", "a list of texts", "got [1]");
    await classify.dispose();
    const task = ["--task", "zero-shot-classification", "--threads", "1"];
    const args = [entailment, ...task, "--candidate-labels", "good,bad", "--hypothesis-template", "a {} day", "a day"];
    expect(await predict(args)).toEqual([{ text: "a day", labels, scores }]);
    expect(await cloze(["predict", entailment, ...task, "a day"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching("no labels to choose from.* --candidate-labels"),
    });
    expect(await cloze(["predict", entailment, ...task, "a day", "--candidate-labels", "good,bad,good"])).toMatchObject(
      {
        code: 2,
        stderr: expect.stringContaining('"good" twice'),
      },
    );
  });

  test.concurrent("rerank takes a query and its texts, or rows of a table", async () => {
    const rerank = await pipeline("rerank", entailment, options);
    const input = { query: "good", texts: ["a day", "bad", "b"] };
    const results = await rerank(input, { return_text: true });
    await rerank.dispose();
    const args = [entailment, "--task", "rerank", "--threads", "1"];
    expect(await predict([...args, input.query, ...input.texts])).toEqual([{ query: "good", results }]);
    const table = writeRows(join(folder, "rerank.jsonl"), [input, { query: "bad", texts: ["good"] }]);
    expect(await predict([...args, "--input", table, "--top-k", "1"])).toEqual([
      { query: "good", results: results.slice(0, 1) },
      { query: "bad", results: [expect.objectContaining({ index: 0, text: "good" })] },
    ]);
    expect(await cloze(["predict", ...args, "query"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a query and one text or more"),
    });
    const wrong = writeRows(join(folder, "rerank-wrong.jsonl"), [{ query: "bad", texts: "good" }]);
    expect((await cloze(["predict", ...args, "--input", wrong])).stderr).toContain("[ROW_MALFORMED]");
  });

  test.concurrent("rerank leaves empty texts out and counts them; the others keep their places", async () => {
    const args = ["predict", entailment, "--task", "rerank", "--threads", "1"];
    const given = await cloze([...args, "good", "a", "", "b"]);
    expect(given.stderr).toBe("1 without text skipped (first: text 3)\n");
    const { results } = JSON.parse(given.stdout);
    expect(results.map(({ index }: { index: number }) => index).toSorted()).toEqual([0, 2]);
    const rows = [
      { query: "good", texts: ["a", "\u200b", "b"] },
      { query: "good", texts: ["", " "] },
    ];
    const table = writeRows(join(folder, "rerank-empty.jsonl"), rows);
    const read = await cloze([...args, "--input", table]);
    expect(JSON.parse(read.stdout)).toEqual({ query: "good", results });
    expect(read.stderr).toBe(
      `1 without text skipped (first: ${table}, line 1, text 2)\n1 without a query or texts skipped (first: ${table}, line 2)\n`,
    );
    for (const source of [
      ["good", "a", ""],
      ["", "a"],
      ["--input", table],
    ]) {
      const { code, stderr } = await cloze([...args, "--on-empty", "refuse", ...source]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("[TEXT_EMPTY]") });
    }
  });

  test.concurrent("texts of nothing that can be seen are empty", async () => {
    const skipped = "2 without text skipped (first: text 1)\n";
    expect(await cloze(["predict", entailment, "\u200b\u200d", "\u00a0"])).toMatchObject({
      stdout: "",
      stderr: skipped,
    });
    const classify = await pipeline("text-classification", entailment, options);
    await expectError(classify("\u200b"), "TEXT_EMPTY", "a text is empty");
    await expectError(classify([{ text: "a", text_pair: "" }]), "TEXT_EMPTY", "a second text is empty");
    await classify.dispose();
    const rerank = await pipeline("rerank", entailment, options);
    await expectError(rerank({ query: "", texts: ["a"] }), "TEXT_EMPTY", "a query is empty");
    await expectError(rerank({ query: "a", texts: ["a", ""] }), "TEXT_EMPTY", "a text is empty");
    await rerank.dispose();
    const zeroShot = await pipeline("zero-shot-classification", entailment, options);
    await expectError(zeroShot("", ["good", "bad"]), "TEXT_EMPTY", "a text is empty");
    await zeroShot.dispose();
  });
});

test.concurrent("a classifier without architectures is a classifier still", async () => {
  const classifier = await writeTinyModel(join(folder, "classifier"));
  const config = JSON.parse(readFileSync(join(classifier, "config.json"), "utf8"));
  writeFileSync(join(classifier, "config.json"), JSON.stringify({ ...config, architectures: undefined }));
  expect(await predict([classifier, "good"])).toMatchObject([{ text: "good", label: expect.any(String) }]);
});

describe("what a task cannot do", () => {
  const pairs = "--input none.jsonl --pair-column pair".split(" ");

  test.concurrent.each<[args: string[], complaint: string]>([
    [["--task", "juggling", "a"], "Allowed choices are text-classification, "],
    [["--top-k", "0", "[MASK]"], "Give at least 1."],
    [["--targets", "a,,b", "[MASK]"], 'Word 2 of "a,,b" is empty; give words with commas between them.'],
    [["--task", "next-sentence"], "this task is about pairs of texts; expected two texts, or --input with a table"],
    [["--task", "next-sentence", "a", "b", "c"], "texts come in pairs here; expected an even number of texts; got 3"],
    [["--task", "next-sentence", "--top-k", "2", ...pairs], "the task next-sentence has no --top-k"],
    [["--task", "next-word", "--targets", "a", "b"], "the task next-word has no --targets"],
    [pairs, "the task fill-mask has no --pair-column"],
  ])("%j is a usage error", async (args, complaint) => {
    const { code, stdout, stderr } = await cloze(["predict", model, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  test.concurrent.each<[code: string, args: () => Promise<string[]> | string[]]>([
    ["MASK_MISSING", () => [model, "a day"]],
    ["TARGET_UNKNOWN", () => [model, "a [MASK]", "--targets", "goodbad"]],
    ["TRUNCATION_IMPOSSIBLE", () => [model, `[MASK] ${"good ".repeat(200)}[MASK]`]],
    ["MODEL_INCOMPLETE", () => [model, "--task", "text-classification", "a"]],
    [
      "MODEL_INCOMPLETE",
      async () => [await writeTinyModel(join(folder, "no-masks")), "--task", "fill-mask", "a [MASK]"],
    ],
    ["FILE_MISSING", () => [join(folder, "none"), "a"]],
  ])("%s ends the command with 1", async (code, args) => {
    const { stdout, stderr, ...outcome } = await cloze(["predict", ...(await args())]);
    expect(stderr).toMatch(new RegExp(`^cloze: .*\\[${code}\\]\n$`));
    expect({ stdout, code: outcome.code }).toEqual({ stdout: "", code: 1 });
  });
});
