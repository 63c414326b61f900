/** Texts to predict for: from the command line, plain text, tables and the files of GLUE. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { GLUE_FORMATS } from "../../formats/glue.ts";
import { InputCounts } from "../run/input-counts.ts";
import { type InputReading, readInputs, readTexts } from "./inputs.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-inputs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function read(source: readonly string[] | string | undefined, options: InputReading = {}) {
  const counts = new InputCounts();
  const inputs = await Readable.from(readInputs(source, options, counts)).toArray();
  return { inputs, skipped: counts.skipped, places: counts.places };
}

describe("a file whose name does not say that it is a table", () => {
  const content = "pair_ID\tsentence_A\tsentence_B\n1\ta, b\tc\n2\td\t\n";

  test("is one where a column is named", async () => {
    const path = write("SICK.txt", content);
    expect(await read(path, { textColumn: "sentence_A", pairColumn: "sentence_B" })).toEqual({
      inputs: [{ text: "a, b", pair: "c" }],
      skipped: { "without text": 1 },
      places: { "without text": [`${path}, line 3`] },
    });
    expect((await read(path, { textColumn: "sentence_A" })).inputs).toEqual([{ text: "a, b" }, { text: "d" }]);
    const compressed = write("SICK.txt.gz", gzipSync(content));
    expect((await read(compressed, { textColumn: "sentence_B" })).inputs).toEqual([{ text: "c" }]);
    await expectError(read(path, { textColumn: "text" }), "COLUMN_MISSING", path, '"sentence_A"');
  });

  test("is plain text otherwise, a line each", async () => {
    const path = write("plain.txt", "text\tlabel\r\n\r\na, b\r\n");
    expect(await read(path)).toEqual({
      inputs: [{ text: "text\tlabel" }, { text: "a, b" }],
      skipped: { "without text": 1 },
      places: { "without text": [`${path}, line 2`] },
    });
    await expectError(read(path, { onEmpty: "refuse" }), "TEXT_EMPTY", `${path}, line 2 is empty`);
  });
});

test("Parquet is known by its content, whatever it is called", async () => {
  const columnData = [{ name: "text", data: ["a", "b"], type: "STRING" as const }];
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData }));
  for (const [name, content] of [
    ["p.txt", parquet],
    ["p", gzipSync(parquet)],
  ] as const) {
    const path = write(name, content);
    expect((await read(path)).inputs).toEqual([{ text: "a" }, { text: "b" }]);
    expect(await Readable.from(readTexts([path], "text")).toArray()).toEqual(["a", "b"]);
  }
});

describe("lines that are no plain text", () => {
  const conll = "Ada\tB-PER\nwrote\tO\n\nit\tO\n.\tO\n";
  const squad = JSON.stringify({ data: [{ title: "t", paragraphs: [] }] });

  test.each([
    ["CoNLL", "token-classification", conll],
    ["CoNLL", "token-classification", conll.replaceAll("\t", " ")],
    ["SQuAD", "question-answering", squad],
  ])("are %s's, for %s", async (name, task, content) => {
    await expectError(read(write("other.txt", content)), "FORMAT_UNKNOWN", "other.txt is no plain text", name, task);
    await expectError(read(write("other.gz", gzipSync(content))), "FORMAT_UNKNOWN", task);
    await expectError(Readable.from(readTexts([write("other", content)], "text")).toArray(), "FORMAT_UNKNOWN", task);
  });

  test.each([
    ["a PDF", "pdftotext", "%PDF-1.7\n1 0 obj\n"],
    ["a ZIP archive", "as CSV", "PK\x03\x04\x14\0\0\0"],
  ])("are %s's, even where they can be decoded", async (name, cure, content) => {
    await expectError(read(write("book.xlsx", content)), "FORMAT_UNKNOWN", "book.xlsx has another format", name, cure);
    await expectError(read(write("book.gz", gzipSync(content))), "FORMAT_UNKNOWN", name);
    await expectError(read(write("book.csv", content)), "FORMAT_UNKNOWN", name);
    await expectError(read(write("book.tsv", content), { format: "glue:sst2" }), "FORMAT_UNKNOWN", name);
  });

  test("are not those in which there are blank lines, or few words", async () => {
    const texts = ["Stop !", "", "NO ENTRY", "", "Vitamin B-12", "", "type O"];
    const { inputs } = await read(write("texts.txt", texts.join("\n")));
    expect(inputs.map(({ text }) => text)).toEqual(texts.filter((text) => text !== ""));
  });
});

describe("a file of GLUE", () => {
  test("without a line of names gives its texts, quotes as they are", async () => {
    const cola = write("cola.tsv", 'gj04\t1\t\t"a" b\ngj04\t0\t*\tc\n');
    expect((await read(cola, { format: "glue:cola" })).inputs).toEqual([{ text: '"a" b' }, { text: "c" }]);
    const stsb = write("sts.tsv", "main\tMSR\t2012\t1\t2.5\ta\tb\tsource\nmain\tMSR\t2012\t2\t5\tc\td\n");
    expect((await read(stsb, { format: "glue:stsb" })).inputs).toEqual([
      { text: "a", pair: "b" },
      { text: "c", pair: "d" },
    ]);
  });

  test.each([
    ["glue:cola", "index\tsentence", "0\ta", { text: "a" }],
    ["glue:sst2", "index\tsentence", "0\ta", { text: "a" }],
    ["glue:sst2", "sentence\tlabel", "a\t1", { text: "a" }],
    ["glue:mrpc", "index\t#1 ID\t#2 ID\t#1 String\t#2 String", "0\t1\t2\ta\tb", { text: "a", pair: "b" }],
    ["glue:qqp", "id\tquestion1\tquestion2", "0\ta\tb", { text: "a", pair: "b" }],
    ["glue:qqp", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "0\t1\t2\ta\tb\t1", { text: "a", pair: "b" }],
    ["glue:mnli", "index\tpromptID\tsentence1\tsentence2", "0\t1\ta\tb", { text: "a", pair: "b" }],
    ["glue:mnli", "index\tsentence1\tsentence2\tgold_label", "0\ta\tb\t-", { text: "a", pair: "b" }],
    ["glue:qnli", "index\tquestion\tsentence", "0\ta\tb", { text: "a", pair: "b" }],
    ["glue:stsb", "index\tsentence1\tsentence2", "0\ta\tb", { text: "a", pair: "b" }],
    ["glue:rte", "index\tsentence1\tsentence2", "0\ta\tb", { text: "a", pair: "b" }],
    ["glue:wnli", "index\tsentence1\tsentence2", "0\ta\tb", { text: "a", pair: "b" }],
  ] as const)("%s with the names %j needs no labels", async (format, names, row, expected) => {
    const path = write("names.tsv", `${names}\n${row}\n`);
    expect(await read(path, { format })).toEqual({ inputs: [expected], skipped: {}, places: {} });
  });

  test("leaves out rows without texts or with other fields than the names, or refuses them", async () => {
    const path = write("rte.tsv", "index\tsentence1\tsentence2\n0\ta\tb\n1\ta\t \n2\ta\n3\ta\tb\tc\n");
    expect(await read(path, { format: "glue:rte" })).toEqual({
      inputs: [{ text: "a", pair: "b" }],
      skipped: { "without text": 1, "with a wrong number of fields": 2 },
      places: { "without text": [`${path}, line 3`], "with a wrong number of fields": [`${path}, line 4`] },
    });
    const refused = read(path, { format: "glue:rte", onEmpty: "refuse" });
    await expectError(refused, "TEXT_EMPTY", `${path}, line 3 is without text`);
    const torn = write("torn.tsv", "index\tsentence1\tsentence2\n2\ta\n");
    await expectError(read(torn, { format: "glue:rte", onEmpty: "refuse" }), "ROW_MALFORMED", `${torn}, line 2`);
    await expectError(read(torn, { format: "glue:rte" }), "FILE_EMPTY", torn, "1 row");
  });

  test("of another task is refused", async () => {
    const qnli = write("qnli.tsv", "index\tquestion\tsentence\n0\ta\tb\n");
    await expectError(read(qnli, { format: "glue:sst2" }), "ROW_MALFORMED", "It looks like QNLI");
    for (const format of GLUE_FORMATS) {
      await expectError(read(write("prose.tsv", "It rained.\n"), { format }), "ROW_MALFORMED", "prose.tsv");
    }
  });

  test("has its own columns", async () => {
    const path = write("sst2.tsv", "sentence\tlabel\na\t1\n");
    for (const option of ["textColumn", "pairColumn"] as const) {
      const reading = { format: "glue:sst2", [option]: "sentence" } as const;
      await expectError(read(path, reading), "OPTION_INVALID", "no meaning beside --format glue:sst2");
    }
  });

  test("as it is published can be predicted for", async ({ skip }) => {
    const data = join(import.meta.dirname, "../../../../shared/data");
    if (!existsSync(data)) skip(`no ${data}`);
    expect((await read(join(data, "cola/dev.tsv"), { format: "glue:cola" })).inputs).toHaveLength(1043);
    expect((await read(join(data, "stsb/sts-dev.tsv"), { format: "glue:stsb" })).inputs).toHaveLength(1500);
    const sick = join(data, "sick/SICK_trial.txt");
    const columns = { textColumn: "sentence_A", pairColumn: "sentence_B" };
    expect((await read(sick, columns)).inputs).toHaveLength(500);
  });
});

describe("texts that come from no file", () => {
  afterEach(() => vi.restoreAllMocks());

  test("come from standard input, gzipped or not, and are told where they are empty", async () => {
    for (const content of ["a\n\nb", gzipSync("a\n\nb")]) {
      vi.spyOn(process, "stdin", "get").mockReturnValue(Readable.from([Buffer.from(content)]) as typeof process.stdin);
      expect(await read(undefined)).toEqual({
        inputs: [{ text: "a" }, { text: "b" }],
        skipped: { "without text": 1 },
        places: { "without text": ["standard input, line 2"] },
      });
    }
  });

  test("are pairs where that is asked for", async () => {
    const texts = ["a", "b", "c", "d"];
    expect((await read(texts)).inputs).toEqual(texts.map((text) => ({ text })));
    expect((await read(texts, { inPairs: true })).inputs).toEqual([
      { text: "a", pair: "b" },
      { text: "c", pair: "d" },
    ]);
    await expectError(read(texts.slice(1), { inPairs: true }), "OPTION_INVALID", "an even number of texts");
  });

  test.each([
    { textColumn: "a" },
    { pairColumn: "a" },
    { format: "glue:rte" as const },
  ])("have no %j", async (reading) => {
    for (const source of [["a"], undefined]) {
      expect(() => readInputs(source, reading, new InputCounts())).toThrow("needs a file to read");
    }
  });
});
