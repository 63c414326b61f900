import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConllOptions, readConll } from "./conll.node.ts";
import { type ConllSentence, formatConll } from "./conll.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-conll-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, name = "a.conll"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const tagged = (path: string, options: Partial<ConllOptions> = {}): Promise<ConllSentence[]> =>
  Readable.from(readConll(path, { columns: [0, -1], ...options })).toArray();
const untagged = (path: string) => tagged(path, { columns: [0] });

const text = "EU\tB-ORG\nrejects\tO\n\nBonn\tB-LOC\n";
const expected = [
  {
    columns: [
      ["EU", "rejects"],
      ["B-ORG", "O"],
    ],
    lines: [1, 2],
  },
  { columns: [["Bonn"], ["B-LOC"]], lines: [4] },
];

describe("readConll", () => {
  test.each([
    ["plain", text],
    ["compressed", gzipSync(text)],
    ["with a byte order mark and CRLF", `\uFEFF${text.replaceAll("\n", "\r\n")}`],
    ["with spaces", text.replaceAll("\t", " ")],
  ])("reads a file %s", async (_, content) => {
    expect(await tagged(await file(content))).toEqual(expected);
  });

  test("reads chosen columns", async () => {
    const path = await file("1 Bonn NNP B-LOC x\n");
    expect(await tagged(path, { columns: [1, -2] })).toMatchObject([{ columns: [["Bonn"], ["B-LOC"]] }]);
  });

  test("takes the caller's word for the separator", async () => {
    const path = await file("a b\tO\n");
    expect(await tagged(path, { separator: "space" })).toMatchObject([{ columns: [["a"], ["b\tO"]] }]);
    const commas = await file("a,O\nb,O\n");
    expect(await tagged(commas, { separator: "," })).toMatchObject([
      {
        columns: [
          ["a", "b"],
          ["O", "O"],
        ],
      },
    ]);
    await expect(tagged(commas)).rejects.toMatchObject({ message: expect.stringContaining("--separator") });
  });

  test("reads files without tags, and with tags that are not wanted", async () => {
    const sentences = expected.map(({ columns: [tokens], lines }) => ({ columns: [tokens], lines }));
    expect(await untagged(await file(text.replaceAll(/\t.*/g, "")))).toEqual(sentences);
    expect(await untagged(await file(text))).toEqual(sentences);
  });

  test.each([
    ["nothing", ""],
    ["blank lines", "\n \n\n"],
    ["no tokens", "-DOCSTART- O\n"],
    ["nothing, compressed", gzipSync("")],
  ])("%s is FILE_EMPTY", async (_, content) => {
    await expect(tagged(await file(content))).rejects.toMatchObject({ code: "FILE_EMPTY" });
  });

  test.each([
    ["JSON", '{"data": {"title": "x"}}'],
    ["CSV", "\uFEFFtext,tag\na b,1\n"],
    ["SQuAD's JSON[.] Such files are for question-answering", '{"data": [{"title": "x"}]}'],
    ["a table of texts with labels[.] Such files are for text-classification", "text,label\na b,1\n"],
    ["a table of texts with labels", "text\tlabel\na\t1\n"],
    ["a table of choices, as SWAG's[.] Such files are for multiple-choice", "sent1,sent2,ending0,ending1\na,b,c,d\n"],
    [
      "sentences, a line each, without tags",
      "i want to fly to dallas\nshow me the fares\nflights from here to there\n",
    ],
    ["no text, with NUL in line 1", Uint8Array.of(0x89, 0x50, 0, 13)],
    ["no text, with NUL in line 2", gzipSync("ustar\n\0\0 00")],
  ])("%s is FORMAT_UNKNOWN", async (format, content) => {
    const message = expect.stringMatching(
      `no CoNLL file; expected a token, a tab or space, and its tag a line, .*; got what looks like ${format}`,
    );
    await expect(tagged(await file(content))).rejects.toMatchObject({ code: "FORMAT_UNKNOWN", message });
  });

  test.each([
    ["ROW_MALFORMED", "a\tO\nb\n"],
    ["INVALID_UTF8", Buffer.from("\uFEFFa\tO\n", "utf16le")],
    ["INVALID_UTF8", Buffer.from("caf\xe9 O\n", "latin1")],
    ["GZIP_TRUNCATED", gzipSync(text).subarray(0, 20)],
  ])("%s comes through", async (code, content) => {
    await expect(tagged(await file(content))).rejects.toMatchObject({ code });
  });

  test("a line without a tag is shown", async () => {
    const message = expect.stringContaining(
      'line 2 is malformed; expected 2 columns, as in line 1; got 1: "b", without a tag',
    );
    await expect(tagged(await file("a\tO\nb\n"))).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
    const row = "The quick brown fox\n";
    const ragged = await file(`${row}${row}${row}The quick\n`);
    await expect(tagged(ragged)).rejects.toMatchObject({ code: "ROW_MALFORMED" });
  });

  test("a missing file and a missing column have their errors", async () => {
    await expect(tagged(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await expect(tagged(await file(text), { columns: [0, 2] })).rejects.toMatchObject({ code: "COLUMN_MISSING" });
  });

  test("NUL far behind the beginning is found, with its line", async () => {
    const rows = 50_000;
    const path = await file(`${"word\tO\n".repeat(rows)}a\0b\tO\n`);
    const message = expect.stringContaining(`${path}, line ${rows + 1} is malformed; expected text; got NUL`);
    await expect(tagged(path)).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test("a line of 10 MB is a row like any other, be it a token or without a tag", async () => {
    const long = "x".repeat(10_000_000);
    const [{ columns }] = await tagged(await file(`a\tO\n${long}\tB-X\n`));
    expect(columns[0].map(({ length }) => length)).toEqual([1, long.length]);
    expect(columns[1]).toEqual(["O", "B-X"]);
    expect(await untagged(await file(`${long}\n`))).toMatchObject([{ lines: [1] }]);
    const message = expect.stringMatching(
      'line 2 is malformed; expected 2 columns, as in line 1; got 1: "x+…", without a tag',
    );
    await expect(tagged(await file(`a\tO\n${long}\n`))).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
    const many = expect.stringContaining("line 2 is malformed; expected 2 columns, as in line 1; got 5000000");
    await expect(tagged(await file(`a O\n${"x ".repeat(5_000_000)}\n`))).rejects.toMatchObject({ message: many });
  });

  test("closes the file when the reader stops early or the file is at fault", async ({ skip }) => {
    if (!existsSync("/proc/self/fd")) skip("no /proc/self/fd to look for open files in");
    const all = readConll(await file(text.repeat(50_000), "open"), { columns: [0, 1] });
    for await (const { lines } of all) if (lines[0] === 4) break;
    await expect(tagged(await file(`a\n${text.repeat(50_000)}`, "open"))).rejects.toThrow();
    const open = () => readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) === join(folder, "open"));
    await expect.poll(open).toEqual([]);
  });
});

function linkOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined; // the descriptor of the listing itself
  }
}

describe("real data", () => {
  const data = join(import.meta.dirname, "../../../shared/data");

  test.for([
    ["wnut17/wnut17train.conll", { sentences: 3394, tokens: 62730, outside: 59570, begun: 1975 }],
    ["wnut17/emerging.dev.conll", { sentences: 1009, tokens: 15733, outside: 14483, begun: 836 }],
    ["wnut17/emerging.test.annotated", { sentences: 1287, tokens: 23394, outside: 21654, begun: 1079 }],
    ["wikigold/wikigold.conll.txt", { sentences: 1696, tokens: 39007, outside: 32576, begun: 0 }],
  ] as const)("%s has its published number of sentences", async ([name, counts], { skip }) => {
    const path = join(data, name);
    if (!existsSync(path)) skip(`no ${path}`);
    const sentences = await tagged(path);
    const tags = sentences.flatMap(({ columns }) => columns[1]);
    expect({
      sentences: sentences.length,
      tokens: tags.length,
      outside: tags.filter((tag) => tag === "O").length,
      begun: tags.filter((tag) => tag.startsWith("B-")).length,
    }).toEqual(counts);
    const again = await tagged(await file(sentences.map(({ columns }) => formatConll(columns)).join("")));
    expect(again.map(({ columns }) => columns)).toEqual(sentences.map(({ columns }) => columns));
  });
});
