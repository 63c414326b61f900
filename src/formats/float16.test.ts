import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { narrowToFloat16, widenBfloat16, widenFloat16 } from "./float16.ts";

const widened = (bits: Uint16Array, widen = widenFloat16) => {
  const values = new Float32Array(bits.length);
  widen(bits, values);
  return values;
};
const narrowed = (value: number) => narrowToFloat16(Float32Array.of(value))[0];

/** The corners of the format. */
const KNOWN = [
  [0x0000, 0],
  [0x0001, 2 ** -24],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3555, 0.333251953125],
  [0x3bff, 0.99951171875],
  [0x3c00, 1],
  [0x3c01, 1.0009765625],
  [0x7bff, 65504],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0x8000, -0],
  [0xc000, -2],
  [0xfc00, Number.NEGATIVE_INFINITY],
] as const;

describe("binary16", () => {
  test.each(KNOWN)("pattern %i is %d, both ways", (bits, value) => {
    expect(widened(Uint16Array.of(bits))[0]).toBe(Math.fround(value));
    expect(narrowed(value)).toBe(bits);
  });

  test("every number survives being widened and narrowed", () => {
    const all = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
    const back = narrowToFloat16(widened(all));
    for (const bits of all) {
      const isNan = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
      if (isNan ? (back[bits] & 0x7fff) !== 0x7e00 : back[bits] !== bits) expect(back[bits]).toBe(bits);
    }
  });

  test("narrowing takes the nearest number, and of two the even one", () => {
    const finite = widened(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits));
    for (let bits = 0; bits + 1 < finite.length; bits += 7) {
      const middle = (finite[bits] + finite[bits + 1]) / 2; // exact in float32
      expect(narrowed(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(narrowed(-middle)).toBe(0x8000 | (bits % 2 === 0 ? bits : bits + 1));
    }
    expect(narrowed(65519.996)).toBe(0x7bff);
    expect(narrowed(65520)).toBe(0x7c00);
    expect(narrowed(2 ** -25)).toBe(0);
    expect(narrowed(2 ** -25 * 1.0000001)).toBe(1);
  });

  test("no representable number is nearer than the one taken", () => {
    const finite = widened(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits));
    fc.assert(
      fc.property(fc.float({ min: 0, max: 65504, noNaN: true }), (value) => {
        const bits = narrowed(value);
        for (const near of [bits - 1, bits + 1]) {
          if (near < 0 || near >= finite.length) continue;
          expect(Math.abs(finite[bits] - value)).toBeLessThanOrEqual(Math.abs(finite[near] - value));
        }
      }),
    );
  });
});

test("bfloat16 numbers are the upper halves of float32 numbers", () => {
  const values = [0, -0, 1, -2.5, 3.3895314e38, 1e-40, Number.POSITIVE_INFINITY, Number.NaN];
  const floats = Float32Array.from(values, (value) => {
    const word = new Uint32Array(Float32Array.of(value).buffer);
    return new Float32Array(Uint32Array.of(word[0] & 0xffff0000).buffer)[0];
  });
  const bits = Uint16Array.from(new Uint32Array(floats.buffer), (word) => word >>> 16);
  expect(widened(bits, widenBfloat16)).toEqual(floats);
});
