import { describe, expect, test } from "vitest";
import { isParquet, refuseBinary } from "./binary.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("refuseBinary", () => {
  test.each([
    ["\x89PNG\r\n\x1a\n", "a PNG picture", "There is no text in a picture"],
    ["\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture", "picture"],
    ["GIF89a\x01\0", "a GIF picture", "picture"],
    ["%PDF-1.7\n1 0 obj\n", "a PDF", "pdftotext"],
    ["PK\x03\x04\x14\0", "a ZIP archive, as .xlsx and .docx are", "as CSV"],
    ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file", "as CSV"],
    [`train.csv${"\0".repeat(248)}ustar\x0000`, "a tar archive", "Unpack it"],
    ["SQLite format 3\0", "a SQLite database", "as CSV"],
    ["\x93NUMPY\x01\0", "a NumPy array", "file of text"],
    ['\x48\x1f\x01\0\0\0\0\0{"__metadata__":', "safetensors", "file of text"],
    ["PAR1\x15\x04", "Parquet", ".parquet"],
  ])("%j", (head, name, cure) => {
    const failure = { code: "FORMAT_UNKNOWN", expected: "text" };
    const error = expect.objectContaining({
      ...failure,
      received: expect.stringContaining(name),
      cure: expect.stringContaining(cure),
    });
    expect(() => refuseBinary("a.txt", bytes(head))).toThrow(error);
  });

  test.each([
    "",
    "PAR1 is a receptor\n",
    "PNG\n",
    "GIF\n",
    "PK 1\n",
    "caf\xe9",
    "\xff\xfea\0",
    "\0\0",
  ])("%j may be text", (head) => {
    expect(() => refuseBinary("a.txt", bytes(head))).not.toThrow();
  });
});

test("Parquet is known by its first five bytes", () => {
  expect(isParquet(bytes("PAR1\x15\0"))).toBe(true);
  expect(isParquet(bytes("PAR1"))).toBe(false);
});
