import fc from "fast-check";
import { expect, it } from "vitest";
import { WordCounts } from "./word-counts.ts";

function asMap(words: WordCounts): Map<string, number> {
  const word = (i: number) => Array.from(words.units.subarray(words.ends[i], words.ends[i + 1]), fromUnit).join("");
  return new Map(Array.from(words.counts, (count, i) => [word(i), count]));
}

const fromUnit = (unit: number) => String.fromCharCode(unit);

it("counts like a Map, whatever the words", () => {
  const word = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(word), (list) => {
      const words = new WordCounts();
      const expected = new Map<string, number>();
      for (const word of list) {
        words.add(word);
        expected.set(word, (expected.get(word) ?? 0) + 1);
      }
      expect(asMap(words)).toEqual(expected);
      expect([words.size, words.total]).toEqual([expected.size, list.length]);
    }),
    { numRuns: 50 },
  );
});

it("grows past all of its first sizes", () => {
  const words = new WordCounts();
  const long = "x".repeat(300_000);
  words.add(long);
  for (let round = 0; round < 2; round++) for (let i = 0; i < 50_000; i++) words.add(`word${i}`);
  expect([words.size, words.total]).toEqual([50_001, 100_001]);
  const counts = asMap(words);
  expect(counts.get("word49999")).toBe(2);
  expect([...counts.values()].filter((count) => count !== 2)).toEqual([1]);
  expect(words.ends[1]).toBe(long.length);
});
