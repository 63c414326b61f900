/** What is tagged: the words of CoNLL files, whatever these are called, and else texts. */
import { execFileSync, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { InputCounts } from "../run/input-counts.ts";
import { parseOptions } from "../run/parse-options.ts";
import { tokenInputs } from "./token-inputs.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-token-inputs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function read(source: readonly string[] | string | undefined, options: object = {}) {
  const reading = parseOptions(tokenInputs.reading, options);
  return Readable.from(tokenInputs.read(source, reading, new InputCounts())).toArray();
}

const CONLL = "Ada\tB-PER\nwrote\tO\n\nit\tO\n.\tO\n";
const SENTENCES = [
  ["Ada", "wrote"],
  ["it", "."],
].map((words) => ({ input: words, shown: { words } }));

test.each([
  "a.conll",
  "a.annotated",
  "a.txt",
  "a.tsv",
])("a file that looks like CoNLL is read as such: %s", async (name) => {
  expect(await read(write(name, CONLL))).toEqual(SENTENCES);
  expect(await read(write(name, CONLL.replaceAll("\t", " ")))).toEqual(SENTENCES);
  expect(await read(write(name, gzipSync(CONLL)))).toEqual(SENTENCES);
  expect(await read(write(name, CONLL), { tagColumn: -1 })).toMatchObject([
    { shown: { gold: ["B-PER", "O"] } },
    { shown: { gold: ["O", "O"] } },
  ]);
});

/** The path of a pipe through which a file comes, once. */
function pipeOf(file: string): string {
  const path = join(folder, "pipe");
  rmSync(path, { force: true });
  execFileSync("mkfifo", [path]);
  spawn("sh", ["-c", 'exec cat "$0" > "$1"', file, path], { stdio: "ignore" });
  return path;
}

function readStandardInput(content: string, options?: object) {
  vi.spyOn(process, "stdin", "get").mockReturnValue(Readable.from([Buffer.from(content)]) as typeof process.stdin);
  return read(undefined, options);
}

test("so is one that comes through a pipe or standard input, which can be read but once", async ({ skip }) => {
  if (process.platform === "win32") skip("no mkfifo");
  const long = write("long.txt", `${CONLL}\n`.repeat(10_000)); // more than is looked at, and than a pipe holds
  expect(await read(pipeOf(long))).toEqual(Array.from({ length: 10_000 }, () => SENTENCES).flat());
  expect(await readStandardInput(CONLL)).toEqual(SENTENCES);
  const tagged = [{ shown: { gold: ["B-PER", "O"] } }, { shown: { gold: ["O", "O"] } }];
  expect(await read(pipeOf(write("short", CONLL)), { tagColumn: -1 })).toMatchObject(tagged);
  expect(await readStandardInput(CONLL, { tagColumn: -1 })).toMatchObject(tagged);

  const texts = ["NO ENTRY", "HELLO WORLD"].map((text) => ({ input: text, shown: { text } }));
  expect(await read(pipeOf(write("texts.txt", "NO ENTRY\n\nHELLO WORLD\n")))).toEqual(texts);
  expect(await readStandardInput("NO ENTRY\n\nHELLO WORLD\n")).toEqual(texts);
  expect(await readStandardInput("")).toEqual([]);
});

test("so is one whose columns are named", async () => {
  const words = write("words.txt", "Ada\nwrote\n\nit\n.\n");
  expect(await read(words, { tokenColumn: 0 })).toEqual(SENTENCES);
  expect(await read(words)).toHaveLength(4);
  const commas = write("commas.csv", "1,Ada,x\n2,wrote,y\n\n1,it,z\n2,.,z\n");
  expect(await read(commas, { separator: ",", tokenColumn: 1 })).toEqual(SENTENCES);
});

test("other lines are texts, and other tables have a column of them", async () => {
  const texts = ["NO ENTRY", "HELLO WORLD"].map((text) => ({ input: text, shown: { text } }));
  expect(await read(write("texts.txt", "NO ENTRY\n\nHELLO WORLD\n"))).toEqual(texts);
  expect(await read(["NO ENTRY", "HELLO WORLD"])).toEqual(texts);
  expect(await read(write("texts.tsv", "body\nNO ENTRY\nHELLO WORLD\n"), { textColumn: "body" })).toEqual(texts);
  await expectError(read(join(folder, "none.txt")), "FILE_MISSING", "none.txt");
});

test("a column that there is none of is refused", async () => {
  const path = write("a.conll", CONLL);
  await expectError(read(path, { textColumn: "text" }), "OPTION_INVALID", "--text-column", "a.conll");
  const both = { textColumn: "text", tagColumn: 1 };
  await expectError(read(write("a.txt", CONLL), both), "OPTION_INVALID", "--tag-column tells of a CoNLL file");
  for (const options of [{ separator: "tab" }, { tokenColumn: 0 }, { tagColumn: -1 }]) {
    await expectError(read(["Ada wrote it"], options), "OPTION_INVALID", "needs a file");
  }
  await expectError(read(undefined, { textColumn: "text" }), "OPTION_INVALID", "needs a file");
});
