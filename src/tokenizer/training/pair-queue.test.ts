import fc from "fast-check";
import { expect, it } from "vitest";
import { PairQueue } from "./pair-queue.ts";
import { PairTable } from "./pair-table.ts";

const pair = fc.record({ left: fc.nat(9), right: fc.nat(9), count: fc.integer({ min: 1, max: 5 }) });

it("hands out pairs by count, then by left id, then by right id", () => {
  const pairs = fc.uniqueArray(pair, { maxLength: 90, selector: ({ left, right }) => `${left} ${right}` });
  fc.assert(
    fc.property(pairs, fc.infiniteStream(fc.nat(4)), (pairs, falls) => {
      const table = new PairTable();
      const queue = new PairQueue(table);
      for (const { left, right, count } of pairs) queue.push(table.indexOf(left, right), count + 4);

      // Each pair falls by up to 4 when it first comes up, as counts do between two looks at them.
      const current = new Map<number, number>();
      const out: number[] = [];
      while (queue.size > 0) {
        const top = queue.topPair;
        if (!current.has(top)) {
          current.set(top, queue.topCount - falls.next().value);
          queue.refreshTop(current.get(top)!);
        } else {
          out.push(top);
          queue.pop();
        }
      }

      expect(new Set(out).size).toBe(pairs.length);
      // Where the counts are final, the order is; a pair not yet refreshed may only lie further up.
      const key = (pair: number) => [-current.get(pair)!, table.left[pair], table.right[pair]];
      for (const [i, pair] of out.slice(1).entries()) expect(compare(key(out[i]), key(pair))).toBeLessThan(0);
    }),
  );
});

it("numbers 100,000 pairs and finds each again", () => {
  const table = new PairTable();
  const pairs = Array.from({ length: 100_000 }, (_, i) => i);
  for (let round = 0; round < 2; round++) {
    expect(pairs.filter((i) => table.indexOf(i % 317, Math.floor(i / 317)) !== i)).toEqual([]);
  }
  expect(table.size).toBe(100_000);
});

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}
