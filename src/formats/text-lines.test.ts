import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeUtf8, MAX_LINE_LENGTH, splitLines, withPlainLineEnds } from "./text-lines.ts";

async function* inChunks<T extends Uint8Array | string>(whole: T, size: number): AsyncGenerator<T> {
  for (let i = 0; i < whole.length; i += size) yield whole.slice(i, i + size) as T;
}

const all = <T>(items: AsyncIterable<T>): Promise<T[]> => Readable.from(items).toArray();
const bytes = (text: string) => new TextEncoder().encode(text);
const joined = async (texts: AsyncIterable<string>) => (await all(texts)).join("");
const decode = (content: Uint8Array, size = 1 << 16) => joined(decodeUtf8("a.txt", inChunks(content, size)));

describe("decodeUtf8", () => {
  test("decodes characters that the chunks cut anywhere", async () => {
    const text = "a\u0000é\u07FF\u0800漢\uFFFD😀\u{10FFFF}z";
    for (let size = 1; size < 12; size++) expect(await decode(bytes(text), size)).toBe(text);
  });

  test("equals the platform's decoder on any text and chunk size", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
        expect(await decode(bytes(text), size)).toBe(new TextDecoder().decode(bytes(text)));
      }),
    );
  });

  test("drops a byte order mark at the start only", async () => {
    expect(await decode(bytes("\uFEFFa\uFEFFb"), 1)).toBe("a\uFEFFb");
    expect(await decode(bytes("\uFEFFa\uFEFFb"))).toBe("a\uFEFFb");
  });

  test.each([
    ["a byte that begins nothing", [0x61, 0x0a, 0xff, 0x62], 2, 2],
    ["a continuation without a beginning", [0x61, 0x80], 1, 1],
    ["an overlong form", [0x61, 0xc0, 0x80], 1, 1],
    ["a surrogate", [0x0a, 0x0a, 0x61, 0xed, 0xa0, 0x80], 3, 3],
    ["a character beyond Unicode", [0xf4, 0x90, 0x80, 0x80], 1, 0],
    ["a character cut short by another", [0x61, 0xe6, 0xbc, 0x62], 1, 1],
    ["a character cut short by the end", [0x61, 0x0a, 0xe6, 0xbc], 2, 2],
    ["Windows-1252", [...bytes("caf"), 0xe9, ...bytes(" au lait")], 1, 3],
  ])("%s is INVALID_UTF8 at its line and byte", async (_, faulty, line, offset) => {
    for (const size of [1, 2, 3, 100]) {
      const message = expect.stringContaining(`a.txt is not UTF-8: see line ${line}, byte ${offset};`);
      await expect(decode(Uint8Array.from(faulty), size)).rejects.toMatchObject({ code: "INVALID_UTF8", message });
    }
  });

  test("with NUL in its beginning is no text at all", async () => {
    const bytes = Uint8Array.from([1, 0, 0, 0x61, 0xff, 0x62]);
    for (const size of [1, 6]) {
      await expect(decode(bytes, size)).rejects.toMatchObject({ code: "FORMAT_UNKNOWN", cure: "Name a file of text." });
    }
  });

  test("recognises UTF-16 and says how to convert it", async () => {
    const message = expect.stringContaining("iconv -f UTF-16");
    await expect(decode(Uint8Array.of(0xff, 0xfe, 0x61, 0))).rejects.toMatchObject({ message });
    await expect(decode(Uint8Array.of(0xfe, 0xff, 0, 0x61))).rejects.toMatchObject({ message });
  });

  test("finds the fault of any damaged text where the platform's decoder does", async () => {
    const content = fc.uint8Array({ min: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 9 }), async (raw, size) => {
        const result = await decode(raw, size).catch((error) => error);
        if (typeof result === "string") {
          expect(result).toBe(new TextDecoder().decode(raw));
          return;
        }
        expect(result.code).toBe("INVALID_UTF8");
        const offset = Number(/byte (\d+);/.exec(result.message)?.[1]);
        const valid = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw.subarray(0, offset));
        const lenient = new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw);
        expect(lenient.startsWith(`${valid}\uFFFD`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("splitLines", () => {
  const lines = (text: string, size: number) => all(splitLines("a.txt", inChunks(text, size)));

  test.each([
    ["", []],
    ["\n", [""]],
    ["a", ["a"]],
    ["a\nb", ["a", "b"]],
    ["a\n\nb\n", ["a", "", "b"]],
    ["a\r\nb\r\n\r\n", ["a", "b", ""]],
    ["a\rb\r\r\nc", ["a\rb\r", "c"]],
    ["\u2028\u0085\v\0\n", ["\u2028\u0085\v\0"]],
  ])("%j has the lines %j in whatever pieces it comes", async (text, expected) => {
    for (const size of [1, 2, 3, 100]) expect(await lines(text, size)).toEqual(expected);
  });

  test("takes a line of 10 MB", async () => {
    const long = "x".repeat(10_000_000);
    expect(await lines(`a\n${long}\nb`, 1 << 16)).toEqual(["a", long, "b"]);
  });

  test("a line without end is ROW_MALFORMED before memory runs out", async () => {
    const piece = "x".repeat(1 << 24);
    async function* endless() {
      yield "first\n";
      for (;;) yield piece;
    }
    const failure = all(splitLines("a.bin", endless()));
    await expect(failure).rejects.toMatchObject({ code: "ROW_MALFORMED", message: expect.stringContaining("line 2") });
    expect(MAX_LINE_LENGTH).toBeGreaterThan(10_000_000);
  });
});

test("withPlainLineEnds turns CRLF into LF, cut anywhere, and leaves a lone CR", async () => {
  for (const size of [1, 2, 3, 100]) {
    expect(await joined(withPlainLineEnds(inChunks("a\r\nb\rc\r\r\n\n\r\nd\r", size)))).toBe("a\nb\rc\r\n\n\nd");
  }
});
