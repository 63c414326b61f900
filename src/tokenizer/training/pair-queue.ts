import { moved } from "./moved.ts";
import type { PairTable } from "./pair-table.ts";

/**
 * A binary heap of pairs of tokens, each under the count that it had when it was pushed or last refreshed. On top lies
 * the pair with the highest count; of equal counts, the one with the lower left id, then the lower right id.
 */
export class PairQueue {
  readonly #table: PairTable;
  #size = 0;
  #counts = new Float64Array(1 << 14);
  #pairs = new Int32Array(1 << 14);

  constructor(table: PairTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#size;
  }

  get topPair(): number {
    return this.#pairs[0];
  }

  /** The count that the top pair is queued under. */
  get topCount(): number {
    return this.#counts[0];
  }

  push(pair: number, count: number): void {
    if (this.#size === this.#pairs.length) {
      this.#counts = moved(this.#counts, new Float64Array(2 * this.#size));
      this.#pairs = moved(this.#pairs, new Int32Array(2 * this.#size));
    }
    const counts = this.#counts;
    const pairs = this.#pairs;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(count, pair, counts[parent], pairs[parent])) break;
      counts[at] = counts[parent];
      pairs[at] = pairs[parent];
      at = parent;
    }
    counts[at] = count;
    pairs[at] = pair;
  }

  /** Queues the top pair anew, under another count. */
  refreshTop(count: number): void {
    this.#sink(count, this.#pairs[0]);
  }

  /** Removes the top pair. */
  pop(): void {
    const last = --this.#size;
    if (last > 0) this.#sink(this.#counts[last], this.#pairs[last]);
  }

  /** Puts a pair in the top's place and lets it sink to where it belongs. */
  #sink(count: number, pair: number): void {
    const counts = this.#counts;
    const pairs = this.#pairs;
    const size = this.#size;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const other = child + 1;
      if (other < size && this.#before(counts[other], pairs[other], counts[child], pairs[child])) child = other;
      if (!this.#before(counts[child], pairs[child], count, pair)) break;
      counts[at] = counts[child];
      pairs[at] = pairs[child];
      at = child;
    }
    counts[at] = count;
    pairs[at] = pair;
  }

  #before(count: number, pair: number, otherCount: number, other: number): boolean {
    if (count !== otherCount) return count > otherCount;
    const { left, right } = this.#table;
    return left[pair] === left[other] ? right[pair] < right[other] : left[pair] < left[other];
  }
}
