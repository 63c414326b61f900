import { describe, expect, test } from "vitest";
import { Random } from "./random.ts";

const COUNT = 200_000;

function draw(random: Random, next: (random: Random) => number): number[] {
  return Array.from({ length: COUNT }, () => next(random));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Whether the mean of a sample is within four standard deviations of what it should be. */
function expectMean(values: readonly number[], expected: number, variance: number): void {
  expect(Math.abs(mean(values) - expected)).toBeLessThan(4 * Math.sqrt(variance / values.length));
}

/** Pearson's statistic of counts that should be equal, in standard deviations of its own distribution. */
function unevenness(counts: readonly number[]): number {
  const expected = mean(counts);
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

function tally(values: readonly number[], bins: number): number[] {
  const counts: number[] = Array(bins).fill(0);
  for (const value of values) counts[value]++;
  return counts;
}

describe("streams", () => {
  test("never change: seeds in logs and papers stay good", () => {
    const random = Random.of(42, "dropout", 3);
    expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([338390631, 3845923576, 1443131708]);
    expect(Random.of(42).uniform()).toBe(0.6890246799158732);
    expect(Random.of(42).normal()).toBe(-0.430420146754421);
  });

  test("are told apart by every key, its type and its place", () => {
    const paths: (readonly (number | string)[])[] = [
      [],
      [0],
      [1],
      [2 ** 32],
      [2 ** 32 + 1],
      [2 ** 53 - 1],
      ["0"],
      [""],
      ["ab"],
      ["a", "b"],
      ["b", "a"],
      [1, "a"],
      ["a", 1],
      [1, 2],
      [2, 1],
      [0, 0],
    ];
    const firsts = paths.map((path) => Random.of(...path).uint32());
    expect(new Set(firsts).size).toBe(paths.length);
  });

  test("of neighbouring seeds are uncorrelated", () => {
    const products = Array.from({ length: COUNT }, (_, seed) => {
      return (Random.of(seed).uniform() - 0.5) * (Random.of(seed + 1).uniform() - 0.5);
    });
    expectMean(products, 0, 1 / 144);
  });
});

describe("uint32", () => {
  test("has every bit set half of the time", () => {
    const values = draw(Random.of(1, "bits"), (random) => random.uint32());
    for (let bit = 0; bit < 32; bit++) {
      expectMean(
        values.map((value) => (value >>> bit) & 1),
        0.5,
        0.25,
      );
    }
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
  });
});

describe("uniform", () => {
  test("lies in [0, 1), evenly, each value apart from the one before", () => {
    const values = draw(Random.of(2), (random) => random.uniform());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expectMean(values, 0.5, 1 / 12);
    const bins = values.map((value) => Math.floor(value * 100));
    expect(Math.abs(unevenness(tally(bins, 100)))).toBeLessThan(4);
    const pairs = values.slice(1).map((value, i) => Math.floor(values[i] * 10) * 10 + Math.floor(value * 10));
    expect(Math.abs(unevenness(tally(pairs, 100)))).toBeLessThan(4);
  });

  test("uses 53 bits", () => {
    const values = draw(Random.of(3), (random) => random.uniform());
    expect(values.every((value) => Number.isInteger(value * 2 ** 53))).toBe(true);
    expect(values.some((value) => !Number.isInteger(value * 2 ** 52))).toBe(true);
  });
});

describe("below", () => {
  test.each([1, 2, 3, 7, 100])("%d: every whole number equally often", (bound) => {
    const values = draw(Random.of(4, bound), (random) => random.below(bound));
    const counts = tally(values, bound);
    expect(counts).toHaveLength(bound);
    if (bound > 1) expect(Math.abs(unevenness(counts))).toBeLessThan(4);
  });
});

describe("normal", () => {
  test("has the moments and the tails of a standard normal", () => {
    const values = draw(Random.of(5), (random) => random.normal());
    const power = (exponent: number) => values.map((value) => value ** exponent);
    expect(values.every(Number.isFinite)).toBe(true);
    expectMean(values, 0, 1);
    expectMean(power(2), 1, 2);
    expectMean(power(3), 0, 15);
    expectMean(power(4), 3, 96);
    const beyond = (limit: number, probability: number) =>
      expectMean(
        values.map((value) => Number(Math.abs(value) > limit)),
        probability,
        probability,
      );
    beyond(1, 0.31731050786);
    beyond(2, 0.0455002639);
    beyond(3, 0.00269979606);
  });
});

describe("shuffle", () => {
  test("gives every order equally often, in place", () => {
    const random = Random.of(6);
    const orders = new Map<string, number>();
    for (let trial = 0; trial < 60_000; trial++) {
      const items = ["a", "b", "c", "d"];
      expect(random.shuffle(items)).toBe(items);
      const order = items.join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    expect(Math.abs(unevenness([...orders.values()]))).toBeLessThan(4);
  });

  test("takes typed arrays, and arrays of none or one", () => {
    expect([...Random.of(7).shuffle(Int32Array.of(1, 2, 3, 4, 5))].sort()).toEqual([1, 2, 3, 4, 5]);
    expect(Random.of(7).shuffle([])).toEqual([]);
    expect(Random.of(7).shuffle(["a"])).toEqual(["a"]);
  });
});
