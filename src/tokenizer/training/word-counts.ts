import { moved } from "./moved.ts";

/**
 * How often each distinct word occurs. The words' code units lie one after another in a single buffer and are found
 * through an open-addressing hash table, so that no string outlives the call that brought it: a slice of a text would
 * keep the whole text alive, and a million short strings cost more than their letters.
 */
export class WordCounts {
  #size = 0;
  #total = 0;
  /** Index of a word plus one; 0 is a free slot. Its length is a power of two, at least twice the number of words. */
  #slots = new Int32Array(1 << 15);
  #hashes = new Int32Array(1 << 14);
  #counts = new Float64Array(1 << 14);
  /** Word `i` is `#units[#ends[i]]` up to, not including, `#units[#ends[i + 1]]`. */
  #ends = new Int32Array((1 << 14) + 1);
  #units = new Uint16Array(1 << 17);

  /** Number of distinct words. */
  get size(): number {
    return this.#size;
  }

  /** Number of words, each as often as it occurs. */
  get total(): number {
    return this.#total;
  }

  /** The UTF-16 code units of all distinct words, one word after another, in the order in which they first occurred. */
  get units(): Uint16Array {
    return this.#units.subarray(0, this.#ends[this.#size]);
  }

  /** Word `i` ends before `units[ends[i + 1]]` and starts at `units[ends[i]]`; `ends[0]` is 0. */
  get ends(): Int32Array {
    return this.#ends.subarray(0, this.#size + 1);
  }

  /** Occurrences of word `i`. */
  get counts(): Float64Array {
    return this.#counts.subarray(0, this.#size);
  }

  /** Counts one more occurrence of a word. */
  add(word: string): void {
    this.#total++;

    let hash = word.length; // FNV-1a over code units, high bits folded into the low ones that pick the slot
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;

    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
      if (this.#hashes[entry - 1] === hash && this.#holds(entry - 1, word)) {
        this.#counts[entry - 1]!++;
        return;
      }
      slot = (slot + 1) & mask;
    }
    slots[slot] = this.#append(word, hash) + 1;
    if (2 * this.#size > slots.length) this.#rehash();
  }

  #holds(index: number, word: string): boolean {
    const units = this.#units;
    const start = this.#ends[index];
    if (this.#ends[index + 1] - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) if (units[start + i] !== word.charCodeAt(i)) return false;
    return true;
  }

  #append(word: string, hash: number): number {
    const index = this.#size++;
    if (index === this.#hashes.length) {
      this.#hashes = moved(this.#hashes, new Int32Array(2 * index));
      this.#counts = moved(this.#counts, new Float64Array(2 * index));
      this.#ends = moved(this.#ends, new Int32Array(2 * index + 1));
    }
    const start = this.#ends[index];
    const end = start + word.length;
    if (end > this.#units.length) this.#units = moved(this.#units, new Uint16Array(Math.max(2 * start, end)));
    for (let i = 0; i < word.length; i++) this.#units[start + i] = word.charCodeAt(i);
    this.#ends[index + 1] = end;
    this.#hashes[index] = hash;
    this.#counts[index] = 1;
    return index;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = this.#hashes[index] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}
