import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pearson, spearman } from "./correlation.ts";

const measures = [
  ["pearson", pearson],
  ["spearman", spearman],
] as const;

/** Pairs of whole numbers, of which few ranges have ties and many have. */
const pairs = fc
  .constantFrom(3, 20, 100_000)
  .chain((most) => fc.array(fc.tuple(fc.nat(most), fc.nat(most)), { minLength: 2, maxLength: 40 }));
const sides = (list: readonly (readonly [number, number])[]) => [list.map(([x]) => x), list.map(([, y]) => y)] as const;

/** Pearson's correlation from sums over all pairs of examples: exact in whole numbers, and without a mean. */
function byDifferences(x: readonly number[], y: readonly number[]): number {
  let [xx, yy, xy] = [0, 0, 0];
  for (const i of x.keys()) {
    for (const j of x.keys()) {
      xx += (x[i] - x[j]) ** 2;
      yy += (y[i] - y[j]) ** 2;
      xy += (x[i] - x[j]) * (y[i] - y[j]);
    }
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx) / Math.sqrt(yy);
}

/** Twice the mean rank, less a constant: how many are smaller, less how many are greater. */
const byCounting = (x: readonly number[]) =>
  x.map((value) => x.filter((other) => other < value).length - x.filter((other) => other > value).length);

describe("against other formulas", () => {
  test("Pearson", () => {
    fc.assert(
      fc.property(pairs.map(sides), ([x, y]) => {
        expect(pearson(x, y)).toBeCloseTo(byDifferences(x, y), 9);
      }),
    );
  });

  test("Spearman, with ties, is Pearson's of ranks found by counting", () => {
    fc.assert(
      fc.property(pairs.map(sides), ([x, y]) => {
        expect(spearman(x, y)).toBeCloseTo(byDifferences(byCounting(x), byCounting(y)), 9);
      }),
    );
  });

  test("Spearman, without ties, in its usual form", () => {
    const permutation = fc.integer({ min: 2, max: 30 }).chain((length) => {
      const ordered = Array.from({ length }, (_, i) => i);
      return fc.shuffledSubarray(ordered, { minLength: length, maxLength: length });
    });
    fc.assert(
      fc.property(permutation, (y) => {
        const squares = y.reduce((total, rank, i) => total + (rank - i) ** 2, 0);
        const expected = 1 - (6 * squares) / (y.length * (y.length ** 2 - 1));
        expect(spearman([...y.keys()], y)).toBeCloseTo(expected, 12);
      }),
    );
  });

  test("SciPy", () => {
    const x = [2.5, 0, 3.75, 5, 3.75, 1.2, 0, 4.4];
    const y = [2.4, 0.2, 3, 5, 4, 0.2, 0.2, 3];
    expect(pearson(x, y)).toBeCloseTo(0.946408923189001, 14);
    expect(spearman(x, y)).toBeCloseTo(0.9256265453136692, 14);
  });
});

describe.each(measures)("%s", (_, correlation) => {
  test("is symmetric, between -1 and 1, and 1 of a list with itself", () => {
    fc.assert(
      fc.property(pairs.map(sides), ([x, y]) => {
        expect(Math.abs(correlation(x, y))).toBeLessThanOrEqual(1);
        expect(correlation(x, y)).toBeCloseTo(correlation(y, x), 14);
        expect(correlation(x, x)).toBeCloseTo(new Set(x).size > 1 ? 1 : 0, 14);
      }),
    );
  });

  test("keeps its size under linear maps, and its sign under increasing ones", () => {
    const slope = fc.constantFrom(-1000, -1, 0.5, 3);
    fc.assert(
      fc.property(pairs.map(sides), slope, fc.integer({ min: -1e6, max: 1e6 }), ([x, y], a, b) => {
        const mapped = x.map((value) => a * value + b);
        expect(correlation(mapped, y)).toBeCloseTo(Math.sign(a) * correlation(x, y), 9);
      }),
    );
  });

  test("takes typed arrays, and leaves them as they are", () => {
    const x = Float32Array.of(3, 1, 2);
    expect(correlation(x, [3, 1, 2])).toBeCloseTo(1, 14);
    expect(x).toEqual(Float32Array.of(3, 1, 2));
  });

  test.each([
    ["the first list is constant", [0.1, 0.1, 0.1], [1, 2, 3]],
    ["the second is", [1, 2, 3], [1e300, 1e300, 1e300]],
    ["there is one example", [1], [2]],
    ["there is none", [], []],
  ])("is 0 where %s", (_, x, y) => {
    expect(correlation(x, y)).toBe(0);
  });

  test("is NaN where a number is NaN", () => {
    expect(correlation([1, Number.NaN, 3], [1, 2, 3])).toBeNaN();
    expect(correlation([1, 1, 1], [1, 2, Number.NaN])).toBeNaN();
  });

  test("lists of different lengths are SHAPE_MISMATCH", () => {
    expect(() => correlation([1, 2], [1])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
  });
});

test("Spearman is blind to increasing maps", () => {
  fc.assert(
    fc.property(pairs.map(sides), ([x, y]) => {
      const mapped = x.map((value) => Math.log(value + 1) ** 3);
      expect(spearman(mapped, y)).toBe(spearman(x, y));
    }),
  );
  const infinite = [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  expect(spearman(infinite, [-5, 0, 5, 5])).toBeCloseTo(1, 14);
});

test.each([
  ["far from 0", (value: number) => value + 2 ** 50],
  ["huge", (value: number) => value * 1e300],
  ["tiny", (value: number) => value * 1e-300],
])("Pearson keeps its digits where numbers are %s", (_, map) => {
  const [x, y] = [
    [1, 2, 3, 4, 5],
    [2, 1, 4, 3, 5],
  ];
  expect(pearson(x.map(map), y)).toBeCloseTo(0.8, 12);
  expect(pearson(x.map(map), y.map(map))).toBeCloseTo(0.8, 12);
});
