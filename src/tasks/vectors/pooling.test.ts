import { describe, expect, test } from "vitest";
import { normalizeRows, POOLINGS, pool } from "./pooling.ts";

/** Three rows of two. */
const rows = Float32Array.of(1, -4, 2, -5, 9, -6);

describe("pool", () => {
  test.each([
    ["cls", [1, -4]],
    ["mean", [4, -5]],
    ["max", [9, -4]],
  ] as const)("%s", (pooling, expected) => {
    expect([...pool(rows, 2, pooling)]).toEqual(expected);
  });

  test.each(POOLINGS)("%s of one row is the row, copied", (pooling) => {
    const one = rows.slice(0, 2);
    const pooled = pool(one, 2, pooling);
    one.fill(0);
    expect([...pooled]).toEqual([1, -4]);
  });

  test("the mean is rounded once", () => {
    const many = new Float32Array(1001).fill(0.1).fill(2 ** 24, 0, 1); // float32 sums would lose every 0.1
    const exact = (2 ** 24 + 1000 * Math.fround(0.1)) / 1001;
    expect([...pool(many, 1, "mean")]).toEqual([Math.fround(exact)]);
  });
});

test("normalizeRows gives each row the length 1, and leaves a row of zeros", () => {
  const matrix = Float32Array.of(3, -4, 0, 0, 1e-30, 0, 1e30, 1e30);
  normalizeRows(matrix, 2);
  const half = Math.fround(Math.SQRT1_2);
  expect([...matrix]).toEqual([Math.fround(0.6), Math.fround(-0.8), 0, 0, 1, 0, half, half]);
});
