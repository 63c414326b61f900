import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../../test/expect-error.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { LineMode } from "./sentences.ts";
import { readSourceTexts } from "./source-texts.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-source-texts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function read(path: string, lines: LineMode = "paragraph", textColumn = "text"): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of readSourceTexts(path, { lines, textColumn })) texts.push(text);
  return texts;
}

describe("plain text", () => {
  const text = "\uFEFF\n \nOne.\r\nTwo.\n\t\n\nThree.\u0000\n\nFour.";
  const documents = ["One.\nTwo.", "Three.\u0000", "Four."];

  test.each(["paragraph", "sentence"] as const)("has blank lines between its documents (%s)", async (lines) => {
    expect(await read(write("a.txt", text), lines)).toEqual(documents);
    expect(await read(write("a.txt.gz", gzipSync(text)), lines)).toEqual(documents);
  });

  test("is one document where lines are wrapped", async () => {
    expect(await read(write("b.txt", text), "wrapped")).toEqual([text.slice(1)]);
  });

  test.each([" \n\n\t", "\uFEFF"])("of nothing (%j) is FILE_EMPTY", async (text) => {
    const path = write("blank.txt", text);
    for (const lines of ["paragraph", "wrapped"] as const) await expectError(read(path, lines), "FILE_EMPTY", path);
  });
});

describe("a table", () => {
  test("has a document a row, which may be empty", async () => {
    const rows = ['{"text":"One.\\n\\nTwo."}', '{"text":""}', '{"text":null}', '{"text":"Three."}'];
    const path = write("a.jsonl.gz", gzipSync(rows.join("\n")));
    for (const lines of ["paragraph", "sentence", "wrapped"] as const) {
      expect(await read(path, lines)).toEqual(["One.\n\nTwo.", "", "", "Three."]);
    }
  });

  test("has its texts in the column that is named", async () => {
    expect(await read(write("a.csv", 'id,body\n1,"a\nb"\n'), "paragraph", "body")).toEqual(["a\nb"]);
  });
});

const latin = Buffer.from("Fine.\ncaf\xe9\n", "latin1");
test.each<[what: string, name: string, content: string | Uint8Array, code: ErrorCode, part: string]>([
  ["no UTF-8", "latin.txt", latin, "INVALID_UTF8", "latin.txt is not UTF-8: see line 2"],
  ["bytes of any kind", "bytes.txt", Uint8Array.of(0, 1, 2, 0xff, 0), "FORMAT_UNKNOWN", "bytes.txt"],
  ["gzip cut short", "cut.txt.gz", gzipSync("a\n".repeat(9)).subarray(0, 20), "GZIP_TRUNCATED", "cut.txt.gz"],
  ["damaged gzip", "bad.gz", gzipSync("abc").fill(7, 12, 16), "GZIP_MALFORMED", "bad.gz"],
  ["no JSON", "bad.jsonl", '{"text":"a"}\n{"text":\n', "ROW_MALFORMED", "bad.jsonl, line 2"],
  ["a table without the column", "other.jsonl", '{"body":"a"}\n', "COLUMN_MISSING", '"text"'],
  ["a table without rows", "head.csv", "text\n", "FILE_EMPTY", "head.csv"],
])("%s", async (_, name, content, code, part) => {
  await expectError(read(write(name, content)), code, part);
});
