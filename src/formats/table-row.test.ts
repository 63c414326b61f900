import { describe, expect, test } from "vitest";
import { cellText, findColumns, placeOf } from "./table-row.ts";

test("placeOf names the line where there is one", () => {
  expect(placeOf("a.tsv", { row: 1, line: 2 })).toBe("a.tsv, line 2");
  expect(placeOf("a.parquet", { row: 1, line: undefined })).toBe("a.parquet, row 1");
});

test("findColumns gives indexes in the order asked", () => {
  expect(findColumns("a", ["x", "y", "z"], ["z", "x", "z"])).toEqual([2, 0, 2]);
  expect(() => findColumns("a", [], ["x"])).toThrow(expect.objectContaining({ code: "COLUMN_MISSING" }));
  expect(() => findColumns("a", ["x", "x"], ["x"])).toThrow(expect.objectContaining({ code: "ROW_MALFORMED" }));
});

describe("cellText", () => {
  test.each([
    ["text", "text"],
    ["", ""],
    [null, ""],
    [undefined, ""],
    [0.1, "0.1"],
    [-0, "0"],
    [5n, "5"],
    [true, "true"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
  ])("%o is %j", (value, text) => {
    expect(cellText(value, "a", "x")).toBe(text);
  });

  test.each([
    [[], "a list"],
    [{}, "an object"],
    [Uint8Array.of(1), "bytes"],
    [2 ** 53, "too large to be exact"],
    [new Date(Number.NaN), "an object"],
  ])("%o is ROW_MALFORMED", (value, received) => {
    const message = expect.stringContaining(received);
    expect(() => cellText(value, "a, line 2", "x")).toThrow(
      expect.objectContaining({ code: "ROW_MALFORMED", message }),
    );
  });

  test("a list is JSON in the columns that may have one, with int64 as texts", () => {
    expect(cellText([1n, [2n], "a", 0.5], "a", "x", ["x"])).toBe('["1",["2"],"a",0.5]');
  });
});
