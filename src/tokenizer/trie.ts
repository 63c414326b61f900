/** The state in which a walk begins. */
export const ROOT = 0;

/** Entries of `check` that are no states. */
const FREE = -1;
const TAKEN = -2;

const UNITS = 0x10000;
const MOST_COUNTED = 16;

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
  /** Where the last state with so many children found room. */
  readonly #hints = new Int32Array(MOST_COUNTED + 1);

  constructor(entries: Iterable<readonly [key: string, value: number]>) {
    const sorted = [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1));
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

  /** A base that puts all these children on free cells: the next that fits since the last state with so many children. */
  #place(units: readonly number[]): number {
    const count = Math.min(units.length, MOST_COUNTED);
    let cell = Math.max(this.#hints[count], units[0]);
    while (!this.#fits(cell - units[0], units)) cell++;
    this.#hints[count] = cell;
    const base = cell - units[0];
    this.#reserve(base + UNITS);
    return base;
  }

  #fits(base: number, units: readonly number[]): boolean {
    for (let i = 0; i < units.length; i++) {
      if ((this.check[base + units[i]] ?? FREE) !== FREE) return false; // beyond the end all is free
    }
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
