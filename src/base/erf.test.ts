import { describe, expect, test } from "vitest";
import { erf } from "./erf.ts";

/** Values of mpmath 1.3 with 40 digits, rounded to float64; they lie on both sides of the change of method at 2. */
const KNOWN: readonly (readonly [number, number])[] = [
  [1e-300, 1.1283791670955126e-300],
  [1e-8, 1.1283791670955126e-8],
  [0.001, 0.0011283787909692365],
  [0.1, 0.1124629160182849],
  [0.25, 0.27632639016823696],
  [0.5, 0.5204998778130465],
  [0.75, 0.7111556336535151],
  [1, 0.8427007929497149],
  [1.25, 0.9229001282564583],
  [1.5, 0.9661051464753108],
  [1.75, 0.9866716712191824],
  [1.9375, 0.9938568063952132],
  [1.999, 0.9953015566513705],
  [2, 0.9953222650189527],
  [2.001, 0.9953428907185247],
  [2.25, 0.9985372834133188],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [3.5, 0.9999992569016276],
  [4, 0.9999999845827421],
  [5, 0.9999999999984626],
  [5.75, 0.9999999999999996],
  [6, 1],
  [1e300, 1],
  [Number.POSITIVE_INFINITY, 1],
];

describe("erf", () => {
  test.each(KNOWN)("erf(±%d) = ±%d", (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(1e-15);
    expect(Math.abs(erf(x) / expected - 1)).toBeLessThanOrEqual(1e-14);
    expect(erf(-x)).toBe(-erf(x));
  });

  test("is 0 at 0 and not a number where x is none", () => {
    expect(erf(0)).toBe(0);
    expect(erf(Number.NaN)).toBeNaN();
  });
});
