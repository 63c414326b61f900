import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROOT, Trie } from "./trie.ts";

function find({ base, check, value }: Trie, key: string): number {
  let state = ROOT;
  for (let i = 0; i < key.length; i++) {
    const next = base[state] + key.charCodeAt(i);
    if (check[next] !== state) return -1;
    state = next;
  }
  return value[state];
}

describe("Trie", () => {
  it("finds its keys and nothing else", () => {
    const key = fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 5 }), fc.stringMatching(/^[ab]{0,6}$/));
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 100 }), fc.array(key), (keys, others) => {
        const trie = new Trie(keys.map((key, index) => [key, index]));
        expect(keys.map((key) => find(trie, key))).toEqual(keys.map((_, index) => index));
        for (const other of others) expect(find(trie, other)).toBe(keys.indexOf(other));
      }),
      { numRuns: 50 },
    );
  });

  it("tells NUL from the end of a key", () => {
    const trie = new Trie([
      ["\u0000", 1],
      ["\uffff\u0000", 2],
    ]);
    expect(["", "\u0000", "\u0000\u0000", "\uffff", "\uffff\u0000"].map((key) => find(trie, key))).toEqual([
      -1, 1, -1, -1, 2,
    ]);
  });

  it("grows where units are high", () => {
    const keys = Array.from({ length: 400 }, (_, i) => String.fromCharCode(0xffff - i) + "\uffff\ufffe".repeat(3));
    const trie = new Trie(keys.map((key, index) => [key, index]));
    expect(keys.every((key, index) => find(trie, key) === index)).toBe(true);
  });

  it("has room for many children", () => {
    const keys = Array.from({ length: 0x10000 }, (_, unit) => `a${String.fromCharCode(unit)}`);
    const trie = new Trie(keys.map((key, index) => [key, index]));
    expect(keys.every((key, index) => find(trie, key) === index)).toBe(true);
  });
});
