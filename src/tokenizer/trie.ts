/** The state in which a walk begins. */
export const ROOT = 0;

/** Entries of `check` that are no states. */
const FREE = -1;
const TAKEN = -2;

const UNITS = 0x10000;

/**
 * A set of strings, each with a number, to be walked one UTF-16 unit at a time: a double-array trie (Aoe 1989). The child
 * of state `s` by unit `u` is `t = base[s] + u` if `check[t]` is `s`, else there is none. The arrays are public because
 * that line is the whole inner loop of tokenising; they are long enough for any state and unit.
 */
export class Trie {
  base: Int32Array = new Int32Array(0);
  check: Int32Array = new Int32Array(0);
  /** The number of the key that ends in a state, or -1. */
  value: Int32Array = new Int32Array(0);
  readonly #hints = new Int32Array(17).fill(128); // where the last state with so many children found room

  constructor(entries: Iterable<readonly [key: string, value: number]>) {
    const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    this.#reserve(2 * UNITS);
    this.check[ROOT] = TAKEN;
    const pending = [{ state: ROOT, depth: 0, from: 0, to: sorted.length }]; // breadth first: short keys stay close
    for (const { state, depth, from, to } of pending) {
      let first = from;
      if (first < to && sorted[first][0].length === depth) this.value[state] = sorted[first++][1];
      const units: number[] = [];
      const begins: number[] = [];
      for (let i = first; i < to; i++) {
        const unit = sorted[i][0].charCodeAt(depth);
        if (unit === units.at(-1)) continue;
        units.push(unit);
        begins.push(i);
      }
      if (units.length === 0) continue;
      const base = this.#place(units);
      this.base[state] = base;
      for (let i = 0; i < units.length; i++) {
        const child = base + units[i];
        this.check[child] = state;
        pending.push({ state: child, depth: depth + 1, from: begins[i], to: begins[i + 1] ?? to });
      }
    }
  }

  /** A base that puts all these children on free cells: the next one that fits, counted for each number of children. */
  #place(units: readonly number[]): number {
    const size = Math.min(units.length, this.#hints.length - 1);
    const start = Math.max(this.#hints[size], units[0]);
    let cell = start;
    while (!this.#fits(cell - units[0], units)) cell++;
    if (start === this.#hints[size]) this.#hints[size] = cell;
    const base = cell - units[0];
    this.#reserve(base + UNITS);
    return base;
  }

  #fits(base: number, units: readonly number[]): boolean {
    for (let i = 0; i < units.length; i++) if (this.check[base + units[i]] !== FREE) return false;
    return true;
  }

  #reserve(length: number): void {
    if (length <= this.check.length) return;
    const { base, check, value } = this;
    const capacity = length + (length >> 1);
    this.base = new Int32Array(capacity);
    this.check = new Int32Array(capacity).fill(FREE);
    this.value = new Int32Array(capacity).fill(-1);
    this.base.set(base);
    this.check.set(check);
    this.value.set(value);
  }
}
