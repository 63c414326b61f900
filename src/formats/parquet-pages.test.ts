import { parquetMetadata } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { checkPages } from "./parquet-pages.node.ts";

const texts = Array.from({ length: 2000 }, (_, i) => `sentence ${i} — 漢字`);
const columnData = [
  { name: "text", data: texts, type: "STRING" as const },
  { name: "label", data: texts.map((_, i) => i % 3), type: "INT32" as const },
];
const whole = parquetWriteBuffer({ columnData, rowGroupSize: 1000, pageSize: 1000, codec: "UNCOMPRESSED" });
const columns = parquetMetadata(whole).row_groups.flatMap((group) =>
  group.columns.flatMap(({ meta_data }) => meta_data ?? []),
);

/** A copy of the file with one byte of the first page header set: thrift's field headers and zigzag numbers. */
function withByte(at: number, value: number): ArrayBuffer {
  const damaged = whole.slice(0);
  new Uint8Array(damaged)[Number(columns[0].data_page_offset) + at] = value;
  return damaged;
}

describe("checkPages", () => {
  test("accepts dictionary and data pages, many to a column", async () => {
    expect(columns.length).toBe(4);
    for (const column of columns) await checkPages(whole, column);
  });

  test("the first header is as the cases below take it to be", () => {
    const header = new Uint8Array(whole, Number(columns[0].data_page_offset), 9);
    expect([header[0], header[2], header[5], header[8]]).toEqual([0x15, 0x15, 0x15, 0x5c]);
  });

  test.each([
    ["no uncompressed size", 2, 0xf5],
    ["no compressed size", 5, 0xf5],
    ["a negative compressed size", 6, 0x01],
    ["a compressed size beyond the column", 7, 0x7f],
    ["no number of values", 9, 0xf5],
    ["a negative number of values", 10, 0x01],
  ])("rejects a page header with %s", async (_, at, value) => {
    await expect(checkPages(withByte(at, value), columns[0])).rejects.toThrow("damaged page header in column text");
  });
});
