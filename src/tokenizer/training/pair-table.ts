import { moved } from "./moved.ts";

/** Numbers the pairs of adjoining tokens in the order in which they turn up, and holds a count for each. */
export class PairTable {
  size = 0;
  left = new Int32Array(1 << 14);
  right = new Int32Array(1 << 14);
  count = new Float64Array(1 << 14);
  /** Index of a pair plus one; 0 is a free slot. Its length is a power of two, at least twice the number of pairs. */
  #slots = new Int32Array(1 << 15);

  /** The index of a pair, which is added with a count of 0 if it is new. */
  indexOf(left: number, right: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashOf(left, right) & mask;
    for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
      if (this.left[entry - 1] === left && this.right[entry - 1] === right) return entry - 1;
      slot = (slot + 1) & mask;
    }

    const index = this.size++;
    if (index === this.left.length) {
      this.left = moved(this.left, new Int32Array(2 * index));
      this.right = moved(this.right, new Int32Array(2 * index));
      this.count = moved(this.count, new Float64Array(2 * index));
    }
    this.left[index] = left;
    this.right[index] = right;
    slots[slot] = index + 1;
    if (2 * this.size > slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = hashOf(this.left[index], this.right[index]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

function hashOf(left: number, right: number): number {
  const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
