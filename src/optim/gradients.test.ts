import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import { AdamW } from "./adamw.ts";
import { accumulate, clipScale } from "./gradients.ts";

/** Around the kernels' vectors of 4, pairs of 8 and blocks of 16,384. */
const LENGTHS = [0, 1, 3, 4, 7, 8, 9, 16_383, 16_384, 16_385, 40_001];

const globalNorm = (gradients: Float32Array) => new AdamW([]).norm(gradients);

describe("the norm of all gradients", () => {
  it.each([...LENGTHS].reverse())("is the norm in float64 of %i elements, after longer calls too", async (length) => {
    const values = randomValues(length);
    const expected = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
    expect(Math.abs((await globalNorm(values)) - expected)).toBeLessThanOrEqual(1e-12 * expected);
  });

  it("neither overflows nor underflows", async () => {
    expect((await globalNorm(Float32Array.of(3e38, 0, 0, 0, 3e38))) / Math.hypot(3e38, 3e38)).toBeCloseTo(1, 6);
    expect((await globalNorm(Float32Array.of(3e-38, 4e-38))) / 5e-38).toBeCloseTo(1, 6);
  });

  it("gives the same bits again, wherever the view begins in its buffer", async () => {
    const values = randomValues(20_000);
    const shifted = new Float32Array(20_003);
    shifted.set(values, 3);
    expect(await globalNorm(shifted.subarray(3))).toBe(await globalNorm(values));
  });

  it.each([NaN, Infinity, -Infinity])("is not finite when a gradient is %s", async (value) => {
    for (const position of [0, 5, 16_384, 20_000]) {
      const values = randomValues(20_001);
      values[position] = value;
      expect(Number.isFinite(await globalNorm(values))).toBe(false);
    }
  });
});

describe("clipScale", () => {
  it("brings a longer gradient to the largest norm and leaves a shorter one", () => {
    expect(clipScale(4, 1)).toBe(1 / (4 + 1e-6));
    expect(clipScale(0.5, 1)).toBe(1);
    expect(clipScale(0, 1)).toBe(1);
    expect(clipScale(1e30, Infinity)).toBe(1);
    expect(clipScale(NaN, 1)).toBeNaN();
  });

  it.each([0, -1, NaN])("refuses a largest norm of %s", (maxNorm) => {
    expect(() => clipScale(1, maxNorm)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

describe("accumulate", () => {
  it.each(LENGTHS)("adds %i elements as float32 does", (length) => {
    const target = randomValues(length);
    const addition = randomValues(length + 1).subarray(1);
    const expected = target.map((value, i) => value + addition[i]);
    const before = addition.slice();
    accumulate(target, addition);
    expect(target).toEqual(expected);
    expect(addition).toEqual(before);
  });

  it("refuses buffers of two lengths", () => {
    const provoke = () => accumulate(new Float32Array(3), new Float32Array(4));
    expect(provoke).toThrow(expect.objectContaining({ code: "OPTIMIZER_LENGTH" }));
  });
});

function randomValues(length: number): Float32Array {
  const random = Random.of(length);
  return Float32Array.from({ length }, () => random.normal());
}
