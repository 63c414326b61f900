import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../base/random.ts";
import { batchesByLength, planBatches } from "./length-groups.ts";

const lengthsOf = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 200 });
const plan = fc.record({ batchSize: fc.integer({ min: 1, max: 9 }), seed: fc.nat(), epoch: fc.nat(20) });
const arrays = (batches: readonly Int32Array[]) => batches.map((batch) => Array.from(batch));
const everyIndex = (lengths: readonly number[]) => Array.from(lengths.keys());
const inOrder = (batches: readonly Int32Array[]) =>
  arrays(batches)
    .flat()
    .toSorted((a, b) => a - b);

/** Most sequences are short and few are long, as in real texts. */
function skewed(count: number, seed: number): number[] {
  const random = Random.of(seed, "lengths");
  return Array.from({ length: count }, () => Math.min(128, 3 + Math.floor(Math.exp(2.5 + 0.8 * random.normal()))));
}

/** What a batch has when every sequence is padded to the longest, for each real token. */
function padded(batches: readonly Int32Array[], lengths: readonly number[]): number {
  const own = batches.map((batch) => Array.from(batch, (i) => lengths[i]));
  const all = own.reduce((sum, batch) => sum + batch.length * Math.max(...batch), 0);
  return all / lengths.reduce((a, b) => a + b);
}

describe("batches of an epoch", () => {
  test("have every example once, and are full but for one", () => {
    fc.assert(
      fc.property(lengthsOf, plan, (lengths, options) => {
        const batches = planBatches(lengths, options);
        expect(inOrder(batches)).toEqual(everyIndex(lengths));
        const sizes = batches.map((batch) => batch.length).toSorted((a, b) => b - a);
        const full = Math.floor(lengths.length / options.batchSize);
        const rest = lengths.length % options.batchSize;
        expect(sizes).toEqual([...new Array(full).fill(options.batchSize), ...(rest > 0 ? [rest] : [])]);
      }),
      { examples: [[[], { batchSize: 3, seed: 1, epoch: 0 }]] },
    );
  });

  test("are a function of lengths, seed and epoch", () => {
    fc.assert(
      fc.property(lengthsOf, plan, (lengths, options) => {
        const before = [...lengths];
        expect(planBatches(Int32Array.from(lengths), options)).toEqual(planBatches(lengths, options));
        expect(lengths).toEqual(before);
      }),
    );
  });

  test("are others in another epoch and with another seed, also where all lengths are equal", () => {
    for (const lengths of [skewed(200, 1), new Array(200).fill(7)]) {
      const of = (seed: number, epoch: number) =>
        JSON.stringify(arrays(planBatches(lengths, { batchSize: 8, seed, epoch })));
      const all = [1, 2, 3].flatMap((seed) => [0, 1, 2, 3, 4].map((epoch) => of(seed, epoch)));
      expect(new Set(all).size).toBe(all.length);
      // not only in another order
      const sets = all.map((text) =>
        JSON.stringify(
          JSON.parse(text)
            .map((batch: number[]) => batch.sort())
            .sort(),
        ),
      );
      expect(new Set(sets).size).toBe(all.length);
    }
  });

  test("come long and short by chance, not from short to long", () => {
    const lengths = skewed(800, 1);
    const longest = planBatches(lengths, { batchSize: 16, seed: 1, epoch: 0 }).map((batch) =>
      Math.max(...Array.from(batch, (i) => lengths[i])),
    );
    const turns = (sign: number) => longest.filter((length, i) => i > 0 && sign * (length - longest[i - 1]) > 0).length;
    expect(longest).toHaveLength(50); // one pool, sorted by length
    expect(Math.min(turns(1), turns(-1))).toBeGreaterThan(12);
  });

  test("pad by at most a fifth where few sequences are long", () => {
    for (const [count, batchSize] of [
      [20_000, 32],
      [3000, 16],
    ]) {
      const lengths = skewed(count, 2);
      const all = Int32Array.from(everyIndex(lengths));
      const unsorted = Array.from({ length: Math.ceil(count / batchSize) }, (_, i) =>
        all.subarray(i * batchSize, (i + 1) * batchSize),
      );
      expect(padded(unsorted, lengths)).toBeGreaterThan(2); // there is something to gain
      for (const epoch of [0, 1]) {
        expect(padded(planBatches(lengths, { batchSize, seed: 1, epoch }), lengths)).toBeLessThan(1.2);
      }
    }
  });
});

describe("batches for prediction", () => {
  const limits = fc.record({
    maxSequences: fc.integer({ min: 1, max: 9 }),
    maxTokens: fc.integer({ min: 1, max: 150 }),
  });

  test("have every sequence once, like lengths together, within both limits but for one that is alone", () => {
    fc.assert(
      fc.property(lengthsOf, limits, (lengths, { maxSequences, maxTokens }) => {
        const batches = batchesByLength(lengths, { maxSequences, maxTokens });
        expect(inOrder(batches)).toEqual(everyIndex(lengths));
        const found = arrays(batches).map((batch) => batch.map((i) => lengths[i]));
        expect(found.flat()).toEqual(lengths.toSorted((a, b) => a - b));
        const tokens = (batch: readonly number[]) => batch.reduce((a, b) => a + b, 0);
        found.forEach((batch, i) => {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(maxSequences);
          if (batch.length > 1) expect(tokens(batch)).toBeLessThanOrEqual(maxTokens);
          if (i === 0) return;
          const before = found[i - 1]; // which had no room for the first of this one
          expect(before.length === maxSequences || tokens(before) + batch[0] > maxTokens).toBe(true);
        });
      }),
      { examples: [[[], { maxSequences: 1, maxTokens: 1 }]] },
    );
  });

  test("have a sequence that is longer than a batch may be alone", () => {
    const batches = batchesByLength([3, 99, 2, 50, 4], { maxSequences: 8, maxTokens: 9 });
    expect(arrays(batches)).toEqual([[2, 0, 4], [3], [1]]);
  });

  test("take equal lengths in the order in which they came", () => {
    const batches = batchesByLength(new Array(7).fill(5), { maxSequences: 3, maxTokens: 1000 });
    expect(arrays(batches)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });
});
