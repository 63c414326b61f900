import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConllOptions, readConll } from "./conll.node.ts";
import { formatConll, type TaggedSentence } from "./conll.ts";

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

const tagged = (path: string, options: Omit<ConllOptions, "tagged"> = {}): Promise<TaggedSentence[]> =>
  Readable.from(readConll(path, options)).toArray();

const text = "EU\tB-ORG\nrejects\tO\n\nBonn\tB-LOC\n";
const expected = [
  { tokens: ["EU", "rejects"], tags: ["B-ORG", "O"], line: 1, document: 0 },
  { tokens: ["Bonn"], tags: ["B-LOC"], line: 4, document: 0 },
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
    expect(await tagged(path, { tokenColumn: 1, tagColumn: -2 })).toMatchObject([
      { tokens: ["Bonn"], tags: ["B-LOC"] },
    ]);
  });

  test("takes the caller's word for the separator", async () => {
    const path = await file("a b\tO\n");
    expect(await tagged(path, { separator: "space" })).toMatchObject([{ tokens: ["a"], tags: ["b\tO"] }]);
  });

  test("reads files without tags, and with tags that are not wanted", async () => {
    const untagged = (path: string) => Readable.from(readConll(path, { tagged: false })).toArray();
    const sentences = expected.map(({ tokens, line, document }) => ({ tokens, line, document }));
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
    ["JSON", '{"data": [{"title": "x"}]}'],
    ["CSV", "\uFEFFtext,label\na b,1\n"],
    ["no text", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13)],
    ["no text", gzipSync("ustar\0\0 00")],
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

  test("a missing file, a missing column and a column that is no integer have their errors", async () => {
    await expect(tagged(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await expect(tagged(await file(text), { tagColumn: 2 })).rejects.toMatchObject({ code: "COLUMN_MISSING" });
    for (const tokenColumn of [0.5, Number.NaN]) {
      await expect(tagged(await file(text), { tokenColumn })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
  });

  test("closes the file when the reader stops early or the file is at fault", async ({ skip }) => {
    if (!existsSync("/proc/self/fd")) skip("no /proc/self/fd to look for open files in");
    for await (const { line } of readConll(await file(text.repeat(50_000), "open"))) if (line === 4) break;
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
    ["wnut17/wnut17train.conll", { sentences: 3394, tokens: 62730, outside: 59570, begun: 1975, documents: 0 }],
    ["wnut17/emerging.dev.conll", { sentences: 1009, tokens: 15733, outside: 14483, begun: 836, documents: 0 }],
    ["wnut17/emerging.test.annotated", { sentences: 1287, tokens: 23394, outside: 21654, begun: 1079, documents: 0 }],
    ["wikigold/wikigold.conll.txt", { sentences: 1696, tokens: 39007, outside: 32576, begun: 0, documents: 144 }],
  ] as const)("%s has its published number of sentences", async ([name, counts], { skip }) => {
    const path = join(data, name);
    if (!existsSync(path)) skip(`no ${path}`);
    const sentences = await tagged(path);
    const tags = sentences.flatMap((sentence) => sentence.tags);
    expect({
      sentences: sentences.length,
      tokens: tags.length,
      outside: tags.filter((tag) => tag === "O").length,
      begun: tags.filter((tag) => tag.startsWith("B-")).length,
      documents: sentences.at(-1)?.document,
    }).toEqual(counts);
    const again = await tagged(await file(formatConll(sentences)));
    expect(again.map(({ tokens, tags }) => [tokens, tags])).toEqual(
      sentences.map(({ tokens, tags }) => [tokens, tags]),
    );
  });
});
