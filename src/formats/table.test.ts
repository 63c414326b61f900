import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTableName, readTable, type TableOptions } from "./table.node.ts";
import type { TableRow } from "./table-row.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-table-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const rows = (path: string, options: Partial<TableOptions> = {}): Promise<TableRow[]> =>
  Readable.from(readTable(path, { columns: ["text", "label"], ...options })).toArray();
const values = async (...of: Parameters<typeof rows>) => (await rows(...of)).map((row) => row.values);

const expected = [
  ['a, "b"', "1"],
  ["é", "0"],
];
const parquet = new Uint8Array(
  parquetWriteBuffer({
    columnData: [
      { name: "label", data: [1, 0], type: "INT32" },
      { name: "text", data: ['a, "b"', "é"], type: "STRING" },
    ],
  }),
);
const contents = {
  csv: 'label,text\n1,"a, ""b"""\n0,é\n',
  tsv: 'label\ttext\n1\ta, "b"\n0\té\n',
  jsonl: '{"label":1,"text":"a, \\"b\\""}\n{"label":0,"text":"é"}\n',
  parquet,
};

describe("readTable", () => {
  test.each(
    Object.entries(contents),
  )("reads %s by its name, its content, in capitals and within gzip", async (ending, content) => {
    for (const name of [`a.${ending}`, `A.${ending.toUpperCase()}`, "a.data", "a"]) {
      expect(await values(await file(name, content))).toEqual(expected);
      expect(await values(await file(`${name}.gz`, gzipSync(content)))).toEqual(expected);
      expect(await values(await file(name, gzipSync(content)))).toEqual(expected);
    }
  });

  test("reads JSON Lines as .ndjson and .json, and tables named .txt by their content", async () => {
    for (const name of ["a.ndjson", "a.json"]) expect(await values(await file(name, contents.jsonl))).toEqual(expected);
    for (const content of Object.values(contents)) expect(await values(await file("a.txt", content))).toEqual(expected);
  });

  test("looks behind a byte order mark", async () => {
    for (const content of [contents.csv, contents.tsv, contents.jsonl]) {
      expect(await values(await file("bom", `\uFEFF${content}`))).toEqual(expected);
    }
  });

  test("reads a pipe, which can be read only once", async ({ skip }) => {
    const path = join(folder, "pipe");
    if (spawnSync("mkfifo", [path]).status !== 0) skip("cannot make a pipe here");
    for (const content of [contents.tsv, gzipSync(contents.tsv), parquet, gzipSync(parquet)]) {
      const [read] = await Promise.all([values(path), writeFile(path, content)]);
      expect(read).toEqual(expected);
    }
  });

  test.each([
    ["nothing", "a.csv", ""],
    ["nothing, compressed", "a.csv.gz", gzipSync("")],
    ["nothing, named as Parquet", "a.parquet", ""],
    ["a header alone", "a.csv", "text,label\n"],
    ["blank lines", "a.jsonl", "\n\n"],
    ["blank lines without a telling name", "a", "\n\n"],
    ["a byte order mark", "a.tsv", "\uFEFF"],
    [
      "no rows in Parquet",
      "a.parquet",
      new Uint8Array(
        parquetWriteBuffer({
          columnData: ["text", "label"].map((name) => ({ name, data: [], type: "STRING" as const })),
        }),
      ),
    ],
  ])("%s is FILE_EMPTY", async (_, name, content) => {
    await expect(rows(await file(name, content))).rejects.toMatchObject({ code: "FILE_EMPTY" });
  });

  test.each([
    ["prose", "It was a dark night;\nit rained.\n"],
    ["a JSON list", '[\n{"text":"a"}\n]'],
    ["bytes", Uint8Array.of(0, 1, 2, 255)],
  ])("%s is FORMAT_UNKNOWN", async (_, content) => {
    await expect(rows(await file("a.txt", content))).rejects.toMatchObject({ code: "FORMAT_UNKNOWN" });
  });

  test.each([
    ["a.tsv", Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), "a PNG picture"],
    ["a.parquet", Buffer.from("PK\x03\x04\x14", "latin1"), "a ZIP archive"],
    ["a", Buffer.from("PK\x03\x04\x14,", "latin1"), "a ZIP archive"],
    ["a.csv", parquet, "Parquet"],
  ])("what is no table, named %s, is named as what it is", async (name, content, kind) => {
    const failure = {
      code: "FORMAT_UNKNOWN",
      expected: expect.stringContaining("CSV"),
      received: expect.stringContaining(kind),
    };
    await expect(rows(await file(name, content))).rejects.toMatchObject(failure);
  });

  test("names of columns without end are cut", async () => {
    const error = await rows(await file("a.csv", `${"x".repeat(5000)},b\n1,2\n`)).catch((error) => error);
    expect(error).toMatchObject({ code: "COLUMN_MISSING", received: `"${"x".repeat(60)}…", "b"` });
  });

  test.each([
    ["COLUMN_MISSING", "a.csv", "text,class\na,1\n"],
    ["ROW_MALFORMED", "a.tsv", "text\tlabel\na\n"],
    ["ROW_MALFORMED", "a.jsonl", "{\n"],
    ["INVALID_UTF8", "a.csv", Uint8Array.of(...Buffer.from("text,label\ncaf"), 0xe9)],
    ["GZIP_TRUNCATED", "a.csv", gzipSync(contents.csv).subarray(0, 30)],
    ["PARQUET_MALFORMED", "a.parquet", parquet.subarray(0, 50)],
    ["PARQUET_MALFORMED", "a.parquet.gz", gzipSync(parquet.subarray(0, 50))],
  ])("%s comes through from the format", async (code, name, content) => {
    await expect(rows(await file(name, content))).rejects.toMatchObject({ code });
  });

  test("a missing file is FILE_MISSING", async () => {
    await expect(rows(join(folder, "none.csv"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await expect(rows(join(folder, "none.parquet"))).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  test.for(Object.entries(contents))("closes a %s file when the reader stops early or the table is at fault", async ([
    ending,
    content,
  ], { skip }) => {
    if (!existsSync("/proc/self/fd")) skip("no /proc/self/fd to look for open files in");
    const long = typeof content === "string" ? content + `${content.split("\n").at(-2)}\n`.repeat(50_000) : content;
    const path = await file(`open.${ending}`, long);
    for await (const { row } of readTable(path, { columns: ["text"] })) if (row === 1) break;
    await expect(rows(path, { columns: ["none"] })).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    await expect(rows(await file("open.txt", "prose\n".repeat(200_000)))).rejects.toThrow();
    const open = () =>
      readdirSync("/proc/self/fd").filter((fd) => linkOf(`/proc/self/fd/${fd}`)?.startsWith(join(folder, "open.")));
    await expect.poll(open).toEqual([]);
  });
});

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // the descriptor of the listing itself
  }
}

test("isTableName goes by the ending", () => {
  for (const name of ["a.csv", "a.TSV", "x/a.jsonl.gz", "a.ndjson", "a.json", "a.parquet"])
    expect(isTableName(name)).toBe(true);
  for (const name of ["a.txt", "csv", "a.csv.txt", "a.csv/b", "a.gz", ""]) expect(isTableName(name)).toBe(false);
});

describe("real data", () => {
  const data = join(import.meta.dirname, "../../../shared/data");

  test.for([
    ["sst2/dev.tsv", ["sentence", "label"], 872, { "0": 428, "1": 444 }],
    ["sst2/train.tsv", ["sentence", "label"], 67349, { "0": 29780, "1": 37569 }],
    [
      "sick/SICK_trial.txt",
      ["sentence_A", "entailment_judgment"],
      500,
      { CONTRADICTION: 74, ENTAILMENT: 144, NEUTRAL: 282 },
    ],
  ] as const)("%s has its published number of rows", async ([name, columns, count, classes], { skip }) => {
    const path = join(data, name);
    if (!existsSync(path)) skip(`no ${path}`);
    const read = await rows(path, { columns });
    expect(read.length).toBe(count);
    expect(read.at(-1)).toMatchObject({ row: count, line: count + 1 });
    const found: Record<string, number> = {};
    for (const row of read) found[row.values[1]] = (found[row.values[1]] ?? 0) + 1;
    expect(found).toEqual(classes);
  });

  test("the Gutenberg corpus, as compressed JSON Lines", async ({ skip }) => {
    const path = join(data, "corpora/gutenberg/part-00.jsonl.gz");
    if (!existsSync(path)) skip(`no ${path}`);
    const read = await values(path, { columns: ["title", "text"] });
    expect(read.length).toBe(91);
    expect(read.every(([title, text]) => title !== "" && text.length > 1000)).toBe(true);
  });
});
