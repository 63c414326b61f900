/** Tables of texts as the tasks read them: labels, sets of labels, numbers; and the files of GLUE. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { multiLabelClassification } from "../definitions/multi-label-classification.ts";
import { regression } from "../definitions/regression.ts";
import { readLabelSets } from "./label-sets.node.ts";
import { readLabelledTexts } from "./labelled-texts.node.ts";
import { readScoredTexts } from "./scored-texts.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-text-rows-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function write(content: string, ending: string): Promise<string> {
  const path = join(folder, `${++files}${ending}`);
  await writeFile(path, content);
  return path;
}

const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

describe("texts with a label", () => {
  test("may have NUL, which no token sees; a label may not", async () => {
    const { examples } = await readLabelledTexts(await write("text\tlabel\na\0b\tx\nc\ty\n", ".tsv"));
    expect(examples[0].input.text).toBe("a\0b");
    const spoilt = await write("text\tlabel\na\tx\nb\ty\0\n", ".tsv");
    await expectError(readLabelledTexts(spoilt), "ROW_MALFORMED", `${spoilt}, line 3`, 'text in "label"', "got NUL");
  });

  test.each([
    ["\\n", "text\tlabel\na b\tx\nc\ty\n"],
    ["\\r\\n", "text\tlabel\r\na b\tx\r\nc\ty\r\n"],
    ["a byte-order mark", "\uFEFFtext\tlabel\na b\tx\nc\ty\n"],
    ["a byte-order mark and \\r\\n, the last row without", "\uFEFFtext\tlabel\r\na b\tx\r\nc\ty"],
  ])("of a table with %s", async (_what, content) => {
    for (const [ending, text] of [
      [".tsv", content],
      [".csv", content.replaceAll("\t", ",")],
    ]) {
      const { examples } = await readLabelledTexts(await write(text, ending));
      expect(examples.map(({ input, gold }) => [input.text, gold])).toEqual([
        ["a b", "x"],
        ["c", "y"],
      ]);
    }
  });

  test.each([
    { pairColumn: "text" },
    { textColumn: "label" },
    { labelColumn: "pair", pairColumn: "pair" },
  ])("of %j has a column that is two things", async (columns) => {
    const path = await write("text\tlabel\tpair\na\tx\tb\n", ".tsv");
    await expectError(readLabelledTexts(path, columns), "OPTION_INVALID", "two things at once");
  });

  test("keeps a NUL, which the tokenizer takes out, as part of the text", async () => {
    const { examples } = await readLabelledTexts(await write("text\tlabel\na\0b\tx\n", ".tsv"));
    expect(examples[0]).toMatchObject({ input: { text: "a\0b" }, gold: "x" });
  });

  test("leaves rows without text, pair or label out and counts them, or refuses them with their place", async () => {
    const path = await write("text\tpair\tlabel\na\tb\tx\n \tb\tx\na\t\tx\na\tb\t\n", ".tsv");
    const { examples, skipped, places } = await readLabelledTexts(path, { pairColumn: "pair" });
    expect(examples).toEqual([{ input: { text: "a", pair: "b" }, gold: "x", place: `${path}, line 2` }]);
    expect(skipped).toEqual({ "without text or label": 3 });
    expect(places).toEqual({ "without text or label": [3, 4, 5].map((line) => `${path}, line ${line}`) });
    await expectError(readLabelledTexts(path, { pairColumn: "pair", onEmpty: "refuse" }), "TEXT_EMPTY", "line 3");
    await expectError(
      readLabelledTexts(await write("text\tlabel\n\tx\n", ".tsv")),
      "TEXT_EMPTY",
      "1 without text or label.",
    );
  });
});

describe("texts with any number of labels", () => {
  const read = (path: string, options = {}) =>
    readLabelSets(path, multiLabelClassification.reading.parse(options)).then(({ examples }) =>
      examples.map(({ gold }) => gold),
    );

  test("as lists of JSON Lines, of which one may be empty, null or of numbers", async () => {
    const rows = [["b", "a"], [], null, [1, 2.5], "a, b", ""].map((labels) => ({ text: "t", labels }));
    expect(await read(await write(lines(...rows), ".jsonl"))).toEqual([
      ["b", "a"],
      [],
      [],
      ["1", "2.5"],
      ["a", "b"],
      [],
    ]);
  });

  test("as names with a separator between them, blanks around them aside", async () => {
    const path = await write("text\ttags\nt\ta| b |c\nt\t\nt\ta||b\n", ".tsv");
    expect(await read(path, { labelColumn: "tags", labelSeparator: "|" })).toEqual([["a", "b", "c"], [], ["a", "b"]]);
    const list = await write('text,labels\nt,"a,b"\nt,"[""a"", ""b, c""]"\n', ".csv");
    expect(await read(list)).toEqual([
      ["a", "b"],
      ["a", "b, c"],
    ]);
  });

  test.each([['["a"'], ["[[1]]"], ["[true]"], ["[null]"]])("%s is no list of names", async (cell) => {
    const path = await write(`text\tlabels\nt\ta\nt\t${cell}\n`, ".tsv");
    await expectError(read(path), "ROW_MALFORMED", `${path}, line 3`, 'a list of names in "labels"', cell);
  });
});

describe("texts with a number", () => {
  const read = (path: string, options = {}) => readScoredTexts(path, regression.reading.parse(options));

  test("in decimal", async () => {
    const { examples } = await read(await write("text\tscore\na\t1\nb\t-2.5e-1\nc\t 3 \nd\t+4.\ne\t.5\n", ".tsv"));
    expect(examples.map(({ gold }) => gold)).toEqual([1, -0.25, 3, 4, 0.5]);
  });

  test("up to the largest that float32 holds, which stays what it is", async () => {
    const { examples } = await read(await write("text\tscore\na\t3.4e38\nb\t-3.4e38\n", ".tsv"));
    expect(examples.map(({ gold }) => gold)).toEqual([3.4e38, -3.4e38]);
  });

  test.each([
    "much",
    "1,5",
    "NaN",
    "Infinity",
    "-Infinity",
    "1 2",
    "0x10",
    "1e39",
    "-1e39",
    "1e400",
  ])("%s is none, and the message says where", async (cell) => {
    const path = await write(`text\tscore\na\t1\nb\t${cell}\n`, ".tsv");
    await expectError(read(path), "ROW_MALFORMED", `${path}, line 3`, "from -3.4e38 to 3.4e38", JSON.stringify(cell));
  });

  test("a row without one is left out and counted", async () => {
    const { examples, skipped } = await read(await write("text\tscore\na\t1\nb\t\n", ".tsv"));
    expect([examples.length, ...Object.values(skipped)]).toEqual([1, 1]);
  });
});

describe("files of GLUE", () => {
  test("have their labels in the official order, whatever comes first, and their metric", async () => {
    const header = Array.from({ length: 7 }, (_, i) => `c${i}`).concat("sentence1", "sentence2", "gold_label");
    const row = (label: string) => [1, 2, 3, 4, 5, 6, 7, "a", "b", label].join("\t");
    const content = [header.join("\t"), row("neutral"), row("contradiction"), row("-"), row("entailment")].join("\n");
    const { examples, labels, metric, skipped } = await readLabelledTexts(await write(content, ".tsv"), {
      format: "glue:mnli",
    });
    expect(labels).toEqual(["entailment", "neutral", "contradiction"]);
    expect(metric).toBe("accuracy");
    expect(examples.map(({ gold }) => gold)).toEqual(["neutral", "contradiction", "entailment"]);
    expect(examples[0].input).toEqual({ text: "a", pair: "b" });
    expect(skipped).toEqual({ "without label": 1 });
  });

  test("have rows that cannot be used, which are counted, or refused with their place", async () => {
    const start = "sentence1\tsentence2\tlabel\na\tb\tentailment\n";
    const path = await write(`${start}a\tb\t\na\t \tentailment\na\tb\nb\n`, ".tsv");
    const { skipped, places } = await readLabelledTexts(path, { format: "glue:rte" });
    expect(skipped).toEqual({ "without label": 1, "without text": 1, "with a wrong number of fields": 2 });
    expect(places?.["with a wrong number of fields"]).toEqual([`${path}, line 5`, `${path}, line 6`]);
    const refuse = { format: "glue:rte", onEmpty: "refuse" } as const;
    await expectError(readLabelledTexts(path, refuse), "TEXT_EMPTY", `${path}, line 3 is without label`);
    const torn = await write(`${start}a\tb\n`, ".tsv");
    await expectError(readLabelledTexts(torn, refuse), "ROW_MALFORMED", `${torn}, line 3`);
    const whole = await write(start, ".tsv");
    expect((await readLabelledTexts(whole, refuse)).examples).toHaveLength(1);
  });

  test("have their own columns", async () => {
    const sst2 = await write("sentence\tlabel\na\t1\n", ".tsv");
    for (const option of ["textColumn", "pairColumn", "labelColumn"]) {
      const read = readLabelledTexts(sst2, { format: "glue:sst2", [option]: "sentence" });
      const flag = `--${option.replace("C", "-c")}`;
      await expectError(read, "OPTION_INVALID", `${flag} has no meaning beside --format glue:sst2`);
    }
    const stsb = await write("sentence1\tsentence2\tscore\na\tb\t5\n", ".tsv");
    const scores = readScoredTexts(stsb, { format: "glue:stsb", scoreColumn: "score", onEmpty: "skip" });
    await expectError(scores, "OPTION_INVALID", "--score-column");
  });

  test("are of no use to several labels a text", () => {
    expect(Object.keys(multiLabelClassification.reading.shape)).not.toContain("format");
  });

  test("of the other kind of task are refused with the command that takes them", async () => {
    const stsb = await write("sentence1\tsentence2\tscore\na\tb\t5\n", ".tsv");
    await expectError(readLabelledTexts(stsb, { format: "glue:stsb" }), "OPTION_INVALID", "command for regression");
    const sst2 = await write("sentence\tlabel\na\t1\n", ".tsv");
    const asNumbers = readScoredTexts(sst2, regression.reading.parse({ format: "glue:sst2" }));
    await expectError(asNumbers, "OPTION_INVALID", "command for text-classification");
    const { examples } = await readScoredTexts(stsb, regression.reading.parse({ format: "glue:stsb" }));
    expect(examples).toMatchObject([{ input: { text: "a", pair: "b" }, gold: 5 }]);
  });
});
