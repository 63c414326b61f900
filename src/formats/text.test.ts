import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFile, openText, peek, readLines } from "./text.node.ts";

const all = <T>(items: AsyncIterable<T>): Promise<T[]> => Readable.from(items).toArray();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-text-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const linesOf = (path: string) => all(readLines(path));
/** Bytes that gzip cannot make small, so that a cut falls inside the stream. */
const noise = Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 2654435761).toString(36)).join("\n");

describe("readLines", () => {
  test("reads plain text with a byte order mark and CRLF", async () => {
    expect(await linesOf(await file("a.txt", "\uFEFFone\r\n\r\nthree"))).toEqual(["one", "", "three"]);
  });

  test("reads nothing from an empty file", async () => {
    expect(await linesOf(await file("empty.txt", ""))).toEqual([]);
    expect(await linesOf(await file("empty.txt.gz", gzipSync("")))).toEqual([]);
  });

  test("knows gzip by its content, whatever the name", async () => {
    expect(await linesOf(await file("b.txt", gzipSync("one\ntwo\n")))).toEqual(["one", "two"]);
    expect(await linesOf(await file("b.gz", "plain\n"))).toEqual(["plain"]);
  });

  test("reads all members of a gzip file", async () => {
    const members = Buffer.concat([gzipSync("one\ntw"), gzipSync("o\n")]);
    expect(await linesOf(await file("members.gz", members))).toEqual(["one", "two"]);
  });

  test("reads more than one chunk, plain and gzip", async () => {
    const long = noise.repeat(4);
    expect((await linesOf(await file("long.txt", long))).join("\n")).toBe(long);
    expect((await linesOf(await file("long.gz", gzipSync(long)))).join("\n")).toBe(long);
  });

  test("what does not exist, and what is no file, is FILE_MISSING", async () => {
    await expect(linesOf(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await expect(linesOf(folder)).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  test.each([5, 12, 1000, -9, -1])("gzip cut at byte %i is GZIP_TRUNCATED", async (end) => {
    const path = await file("cut.gz", gzipSync(noise).subarray(0, end));
    await expect(linesOf(path)).rejects.toMatchObject({ code: "GZIP_TRUNCATED" });
  });

  test.each([
    ["its header", 2],
    ["its data", 3000],
    ["its checksum", -6],
  ])("gzip damaged in %s is GZIP_MALFORMED", async (_, at) => {
    const damaged = gzipSync(noise);
    damaged[at < 0 ? damaged.length + at : at] ^= 0xff;
    await expect(linesOf(await file("damaged.gz", damaged))).rejects.toMatchObject({ code: "GZIP_MALFORMED" });
  });

  test("faulty UTF-8 inside gzip is INVALID_UTF8 with its line", async () => {
    const path = await file("faulty.gz", gzipSync(Buffer.concat([Buffer.from("one\ntwo"), Uint8Array.of(0xff)])));
    const message = expect.stringContaining("line 2, byte 7");
    await expect(linesOf(path)).rejects.toMatchObject({ code: "INVALID_UTF8", message });
  });

  test.for(["plain.txt", "packed.gz"])("closes %s when the reader stops early", async (name, { skip }) => {
    if (!existsSync("/proc/self/fd")) skip("no /proc/self/fd to look for open files in");
    const path = await file(name, name.endsWith("gz") ? gzipSync(noise.repeat(20)) : noise.repeat(20));
    for await (const line of readLines(path)) {
      expect(line).toBe("0");
      break;
    }
    await expect.poll(() => openFiles().includes(path)).toBe(false);
  });
});

function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the descriptor of the listing itself
    }
  });
}

test("peek returns the head and leaves the stream whole", async () => {
  async function* stream() {
    yield Uint8Array.of(1);
    yield Uint8Array.of(2, 3);
    yield Uint8Array.of(4);
  }
  for (const [length, head] of [
    [0, []],
    [1, [1]],
    [2, [1, 2, 3]],
    [9, [1, 2, 3, 4]],
  ] as const) {
    const [seen, chunks] = await peek(stream(), length);
    expect([...seen]).toEqual(head);
    expect((await all(chunks)).flatMap((chunk) => [...chunk])).toEqual([1, 2, 3, 4]);
  }
});

test("openFile says whether a file can be read as it lies, which compressed ones cannot", async () => {
  for (const [content, seekable] of [
    ["\x1f", true],
    [gzipSync(""), false],
  ] as const) {
    const opened = await openFile(await file("x", content));
    expect(opened.seekable).toBe(seekable);
    await all(opened.chunks);
  }
});

test("openText equals a whole read of a real corpus", async ({ skip }) => {
  const corpus = join(import.meta.dirname, "../../../shared/data/corpora/gutenberg/part-00.jsonl.gz");
  if (!existsSync(corpus)) skip(`no ${corpus}`);
  let text = "";
  for await (const piece of openText(corpus)) text += piece;
  expect(text).toBe(gunzipSync(await readFile(corpus)).toString("utf8"));
});
