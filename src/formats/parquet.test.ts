import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import type { ParquetType, SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { ClozeError } from "../base/errors.ts";
import { readParquet } from "./parquet.node.ts";
import type { TableRow } from "./table-row.ts";

const rows = (file: ArrayBuffer, ...columns: string[]): Promise<TableRow[]> =>
  Readable.from(readParquet("a.parquet", file, { columns })).toArray();
const firstValues = async (...of: Parameters<typeof rows>) => (await rows(...of)).map((row) => row.values[0]);

const texts = Array.from({ length: 25 }, (_, i) => `sentence ${i} — 漢字`);
const columnData = [
  { name: "text", data: texts, type: "STRING" as const },
  { name: "label", data: texts.map((_, i) => i % 3), type: "INT32" as const },
];

/** A file of one column of decimals, from these numbers without their points. */
function decimals(type: ParquetType, scale: number, unscaled: readonly bigint[]): ArrayBuffer {
  const schema: SchemaElement[] = [
    { name: "root", num_children: 1 },
    { name: "a", type, repetition_type: "REQUIRED", converted_type: "DECIMAL", precision: 18, scale },
  ];
  return parquetWriteBuffer({ columnData: [{ name: "a", data: [...unscaled] }], schema });
}

describe("readParquet", () => {
  test("gives the columns asked for, across row groups, with the row and no line", async () => {
    const file = parquetWriteBuffer({ columnData, rowGroupSize: 10 });
    const read = await rows(file, "label", "text", "label");
    expect(read).toEqual(
      texts.map((text, i) => ({ row: i + 1, line: undefined, values: [String(i % 3), text, String(i % 3)] })),
    );
  });

  test("reads only the row groups that are reached", async () => {
    const buffer = parquetWriteBuffer({ columnData, rowGroupSize: 5 });
    let bytes = 0;
    const counting = {
      byteLength: buffer.byteLength,
      slice(start: number, end?: number) {
        bytes += (end ?? buffer.byteLength) - start;
        return buffer.slice(start, end);
      },
    };
    for await (const { row } of readParquet("a.parquet", counting, { columns: ["text"] })) {
      if (row === 1) bytes = 0;
      if (row === 5) break;
    }
    expect(bytes).toBe(0);
  });

  test("decompresses", async () => {
    const compressors = { GZIP: (input: Uint8Array) => gzipSync(input) };
    for (const codec of ["UNCOMPRESSED", "SNAPPY", "GZIP"] as const) {
      expect(await firstValues(parquetWriteBuffer({ columnData, codec, compressors }), "text")).toEqual(texts);
    }
  });

  test.each([
    ["BOOLEAN", [true, false], ["true", "false"]],
    ["INT32", [-1, 2], ["-1", "2"]],
    ["INT64", [-1n, 9007199254740993n], ["-1", "9007199254740993"]],
    ["FLOAT", [0.5, -2], ["0.5", "-2"]],
    ["DOUBLE", [0.1, 1e-9], ["0.1", "1e-9"]],
    ["STRING", ["", "\uFEFFé\0"], ["", "\uFEFFé\0"]],
    ["BYTE_ARRAY", [new TextEncoder().encode("plain bytes")], ["plain bytes"]],
    ["JSON", [{ a: [1] }], ['{"a":[1]}']],
    ["TIMESTAMP", [new Date(0)], ["1970-01-01T00:00:00.000Z"]],
  ] as const)("%s values become text", async (type, data, expected) => {
    const file = parquetWriteBuffer({ columnData: [{ name: "a", data: [...data], type }] });
    expect(await firstValues(file, "a")).toEqual(expected);
  });

  test("a null is an empty text", async () => {
    const file = parquetWriteBuffer({ columnData: [{ name: "a", data: ["x", null, "y"], type: "STRING" }] });
    expect(await firstValues(file, "a")).toEqual(["x", "", "y"]);
  });

  test.each([
    ["INT32", [[1, 2], []], ["[1,2]", "[]"]],
    ["INT64", [[1n, 9007199254740993n], []], ['["1","9007199254740993"]', "[]"]],
  ] as const)("a list of %s is JSON where lists are wanted, and ROW_MALFORMED elsewhere", async (type, data, expected) => {
    const schema: SchemaElement[] = [
      { name: "root", num_children: 1 },
      { name: "a", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", type, repetition_type: "OPTIONAL" },
    ];
    const file = parquetWriteBuffer({ columnData: [{ name: "a", data: [...data] }], schema });
    const read = await Readable.from(readParquet("a.parquet", file, { columns: ["a"], lists: ["a"] })).toArray();
    expect(read.map(({ values }) => values)).toEqual(expected.map((text) => [text]));
    await expect(rows(file, "a")).rejects.toMatchObject({ code: "ROW_MALFORMED", message: /a list/ });
  });

  test.each<[type: ParquetType, scale: number, unscaled: bigint[], expected: string[]]>([
    ["INT32", 1, [3n, -12n, 0n], ["0.3", "-1.2", "0.0"]],
    ["INT64", 2, [30n, -1n, 999999999999999n], ["0.30", "-0.01", "9999999999999.99"]],
    ["BYTE_ARRAY", 0, [7n, -300n], ["7", "-300"]],
    ["BYTE_ARRAY", 20, [1n, 999999999999999n], ["0.00000000000000000001", "0.00000999999999999999"]],
  ])("decimals in %s of scale %i are read as they were written", async (type, scale, unscaled, expected) => {
    expect(await firstValues(decimals(type, scale, unscaled), "a")).toEqual(expected);
  });

  test.each([
    [2, 9007199254740993n],
    [2, 9007199254740991n], // 90071992547409.92 as a float64
    [0, -1000000000000000n],
    [101, 1n], // no such scale
    [-1, 1n],
  ])("a decimal of scale %i that may have lost digits, %i, is ROW_MALFORMED", async (scale, unscaled) => {
    const message = expect.stringContaining("a.parquet, row 1 is malformed; expected a decimal of at most 15 digits");
    const failure = rows(decimals("INT64", scale, [unscaled]), "a");
    await expect(failure).rejects.toMatchObject({ code: "ROW_MALFORMED", message });
  });

  test("a missing column is COLUMN_MISSING with those that are there", async () => {
    const message = expect.stringContaining('no column "sentence"; expected "sentence"; got "text", "label"');
    const failure = rows(parquetWriteBuffer({ columnData }), "sentence");
    await expect(failure).rejects.toMatchObject({ code: "COLUMN_MISSING", message });
  });

  test("text that is not UTF-8 is INVALID_UTF8", async () => {
    const latin = [Uint8Array.of(0x63, 0x61, 0x66, 0xe9)];
    const file = parquetWriteBuffer({ columnData: [{ name: "a", data: latin, type: "BYTE_ARRAY" }] });
    await expect(rows(file, "a")).rejects.toMatchObject({ code: "INVALID_UTF8" });
  });

  test.each([
    ["nothing", (_: ArrayBuffer) => new ArrayBuffer(0)],
    ["the front half", (whole: ArrayBuffer) => whole.slice(0, whole.byteLength / 2)],
    ["the back half", (whole: ArrayBuffer) => whole.slice(whole.byteLength / 2)],
    ["text", (_: ArrayBuffer) => new TextEncoder().encode("a,b\n1,2\n").buffer],
  ])("%s of a file is PARQUET_MALFORMED", async (_, damage) => {
    const damaged = damage(parquetWriteBuffer({ columnData }));
    await expect(rows(damaged, "text")).rejects.toMatchObject({ code: "PARQUET_MALFORMED" });
  });

  test("a file cut anywhere is PARQUET_MALFORMED", async () => {
    const whole = parquetWriteBuffer({ columnData, rowGroupSize: 10 });
    for (let length = 0; length < whole.byteLength; length++) {
      await expect(rows(whole.slice(0, length), "text")).rejects.toMatchObject({ code: "PARQUET_MALFORMED" });
    }
  });

  // Fixed flips: hyparquet does not bound the runs inside a page, so with bad luck damage there can take all memory.
  test.each([0x01, 0x10, 0x80])("a byte anywhere changed by %i gives rows or a ClozeError", async (flip) => {
    const whole = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10 }));
    for (let position = 0; position < whole.length; position++) {
      const damaged = Uint8Array.from(whole);
      damaged[position] ^= flip;
      const result = await rows(damaged.buffer, "text", "label").catch((error) => error);
      if (!Array.isArray(result)) expect(result).toBeInstanceOf(ClozeError);
    }
  });
});
