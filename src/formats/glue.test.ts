import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GlueExample, type GlueSkip, readGlue } from "./glue.node.ts";
import { GLUE, GLUE_TASK_NAMES, type GlueTaskName, isGlueLabel } from "./glue.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-glue-"));
});
afterAll(() => rm(folder, { recursive: true }));

const read = (name: GlueTaskName, path: string): Promise<(GlueExample | GlueSkip)[]> =>
  Readable.from(readGlue(name, path)).toArray();

/** Reads lines whose fields are written with a bar between them. */
async function readLines(name: GlueTaskName, ...lines: string[]) {
  const path = join(folder, "a.tsv");
  await writeFile(path, `${lines.join("\n").replaceAll("|", "\t")}\n`);
  return read(name, path);
}
const failure = (name: GlueTaskName, ...lines: string[]) =>
  readLines(name, ...lines).then(
    () => expect.unreachable(),
    (error) => error,
  );

const MNLI_START =
  "index|promptID|pairID|genre|sentence1_binary_parse|sentence2_binary_parse|sentence1_parse|sentence2_parse";

/** The first line and a row of the labelled files, and the first line of the test files, as GLUE has them. */
const FILES: { [N in GlueTaskName]: { labelled: string[]; test: string; example: Omit<GlueExample, "place"> } } = {
  cola: {
    labelled: ['gj04|0|*|a "b', "gj04|1||c d"],
    test: "index|sentence",
    example: { text: 'a "b', label: "0" },
  },
  sst2: { labelled: ["sentence|label", "a b |1"], test: "index|sentence", example: { text: "a b ", label: "1" } },
  mrpc: {
    labelled: ["\uFEFFQuality|#1 ID|#2 ID|#1 String|#2 String\r", '1|70|71|" a|b "\r'],
    test: "index|#1 ID|#2 ID|#1 String|#2 String",
    example: { text: '" a', pair: 'b "', label: "1" },
  },
  stsb: {
    labelled: [
      "index|genre|filename|year|old_index|source1|source2|sentence1|sentence2|score",
      "0|main-captions|MSRvid|2012test|0001|none|none|a|b|5.000",
    ],
    test: "index|genre|filename|year|old_index|source1|source2|sentence1|sentence2",
    example: { text: "a", pair: "b", label: "5.000" },
  },
  qqp: {
    labelled: ["id|qid1|qid2|question1|question2|is_duplicate", "7|8|9|a?|b?|0"],
    test: "id|question1|question2",
    example: { text: "a?", pair: "b?", label: "0" },
  },
  mnli: {
    labelled: [`${MNLI_START}|sentence1|sentence2|label1|gold_label`, "0|3n|3n|x|(|(|(|(|a|b|neutral|entailment"],
    test: `${MNLI_START}|sentence1|sentence2`,
    example: { text: "a", pair: "b", label: "entailment" },
  },
  qnli: {
    labelled: ["index|question|sentence|label", "0|a|b|not_entailment"],
    test: "index|question|sentence",
    example: { text: "a", pair: "b", label: "not_entailment" },
  },
  rte: {
    labelled: ["index|sentence1|sentence2|label", "0|a|b|entailment"],
    test: "index|sentence1|sentence2",
    example: { text: "a", pair: "b", label: "entailment" },
  },
  wnli: {
    labelled: ["index|sentence1|sentence2|label", "0|a|b|0"],
    test: "index|sentence1|sentence2",
    example: { text: "a", pair: "b", label: "0" },
  },
};

describe.each(GLUE_TASK_NAMES)("%s", (name) => {
  const { labelled, test: testHeader, example } = FILES[name];

  test("reads its labelled files", async () => {
    const [first] = await readLines(name, ...labelled);
    expect(first).toEqual({ ...example, place: expect.stringMatching(/a\.tsv, line [12]$/) });
  });

  test("refuses its test files", async () => {
    const error = await failure(name, testHeader, testHeader);
    expect(error).toMatchObject({ code: "COLUMN_MISSING", message: expect.stringContaining("test files have none") });
  });

  test.each(GLUE_TASK_NAMES.filter((other) => other !== name))("refuses the files of %s", async (other) => {
    const error = await failure(name, ...FILES[other].labelled);
    expect(error.code).toBe("ROW_MALFORMED");
    expect(error.cure).toMatch(/^It looks like .*: name that task\.$/);
    expect(error.cure).toContain(GLUE[other].title);
  });

  test("has a kind, metrics and labels", () => {
    const task = GLUE[name];
    expect(task.kind).toBe(name === "stsb" ? "regression" : "classification");
    expect(task.metrics.length).toBeGreaterThan(0);
    expect(isGlueLabel(task, example.label)).toBe(true);
    expect(isGlueLabel(task, "-")).toBe(false);
  });
});

describe("readGlue", () => {
  test("MNLI's files to measure on have five annotators' labels; SNLI's have the label first", async () => {
    const dev = `${MNLI_START}|sentence1|sentence2|label1|label2|label3|label4|label5|gold_label`;
    const row = "0|3n|3n|x|(|(|(|(|a|b|neutral|entailment|neutral|neutral|neutral|neutral";
    expect(await readLines("mnli", dev, row)).toMatchObject([{ label: "neutral" }]);
    const snli = await readLines("mnli", "gold_label|sentence1|sentence2|label1|label2", "contradiction|a|b|x|y");
    expect(snli).toMatchObject([{ text: "a", pair: "b", label: "contradiction" }]);
  });

  test("without an agreed label, with a field too few or too many, or without text a row is left out, and named", async () => {
    const rows = await readLines(
      "mnli",
      "gold_label|sentence1|sentence2",
      "neutral|a|b",
      "-|a|b",
      "|a|b",
      "neutral|a",
      "neutral|a|b|c",
      "neutral| |b",
      "neutral|a|",
      "entailment|a|b",
    );
    const reasons = rows.map((row) => ("skipped" in row ? row.skipped : row.label));
    expect(reasons).toEqual([
      ...["neutral", "unlabelled", "unlabelled", "malformed", "malformed", "empty", "empty", "entailment"],
    ]);
    expect(rows.map(({ place }) => place.at(-1)).join("")).toBe("23456789");
  });

  test("blank lines are no rows", async () => {
    const rows = await readLines("mnli", "", "gold_label|sentence1|sentence2", "", "neutral|a|b", "");
    expect(rows).toMatchObject([{ label: "neutral", place: expect.stringContaining("line 4") }]);
  });

  test("a question that is torn in two costs its own rows alone", async () => {
    const rows = await readLines("qqp", FILES.qqp.labelled[0], "1|2|3|a", "rest|b|0", "4|5|6|c|d|1");
    expect(rows).toMatchObject([{ skipped: "malformed" }, { skipped: "malformed" }, { text: "c", label: "1" }]);
  });

  test("without a line of names a row may have further fields, but no fewer", async () => {
    const rows = await readLines("stsb", "g|f|y|1|2.5|a|b|source|source", "g|f|y|1|2.5|a", "g|f|y|2|0|c|d");
    expect(rows).toMatchObject([{ text: "a", pair: "b", label: "2.5" }, { skipped: "malformed" }, { text: "c" }]);
  });

  test("gzip is read as what it holds", async () => {
    const path = join(folder, "a.tsv.gz");
    await writeFile(path, gzipSync("sentence\tlabel\na\t1\n"));
    expect(await read("sst2", path)).toEqual([{ text: "a", label: "1", place: `${path}, line 2` }]);
  });

  test.each([
    [
      "sst2",
      ["sentence|label", "a|2"],
      'line 2 has a label that SST-2 does not have; expected "0", "1"; got "2". Correct',
    ],
    ["stsb", ["sentence1|sentence2|score", "a|b|5.1"], 'expected a number from 0 to 5; got "5.1"'],
    ["stsb", ["sentence1|sentence2|score", "a|b|high"], 'expected a number from 0 to 5; got "high"'],
    ["wnli", ["sentence1|sentence2|label", "a|b|entailment"], "It looks like RTE"],
    ["sst2", ["a|1", "b|0"], 'expected the columns "sentence", "label"; got "a", "1". Give the file as GLUE has it'],
    ["cola", ["a|1|2"], "expected rows without names above them, whose label is field 2"],
    ["rte", [`${"x".repeat(99)}|1`], `got "${"x".repeat(60)}…", "1"`],
  ] as const)("%s: %j is ROW_MALFORMED", async (name, lines, message) => {
    const expected = { code: "ROW_MALFORMED", message: expect.stringContaining(message) };
    expect(await failure(name, ...lines)).toMatchObject(expected);
  });

  test.each([
    ["nothing", "cola", []],
    ["names alone", "sst2", ["sentence|label"]],
    ["rows that cannot be used", "sst2", ["sentence|label", "a", "|1"]],
  ] as const)("%s is FILE_EMPTY", async (_, name, lines) => {
    expect(await failure(name, ...lines)).toMatchObject({ code: "FILE_EMPTY" });
  });

  test("a missing file is FILE_MISSING", async () => {
    await expect(read("sst2", join(folder, "none.tsv"))).rejects.toMatchObject({ code: "FILE_MISSING" });
  });
});

describe("real data", () => {
  const data = join(import.meta.dirname, "../../../shared/data");

  test.for([
    ["sst2", "sst2/train.tsv", 67349],
    ["sst2", "sst2/dev.tsv", 872],
    ["cola", "cola/train.tsv", 8551],
    ["cola", "cola/dev.tsv", 1043],
    ["stsb", "stsb/sts-train.tsv", 5749],
    ["stsb", "stsb/sts-dev.tsv", 1500],
  ] as const)("%s: %s has its published number of examples", async ([name, file, count], { skip }) => {
    const path = join(data, file);
    if (!existsSync(path)) skip(`no ${path}`);
    const rows = await read(name, path);
    expect(rows.filter((row) => "skipped" in row)).toEqual([]);
    expect(rows.length).toBe(count);
  });

  test("SICK is no task of GLUE", async ({ skip }) => {
    const path = join(data, "sick/SICK_trial.txt");
    if (!existsSync(path)) skip(`no ${path}`);
    for (const name of GLUE_TASK_NAMES) {
      await expect(read(name, path)).rejects.toMatchObject({ code: "ROW_MALFORMED" });
    }
  });
});
