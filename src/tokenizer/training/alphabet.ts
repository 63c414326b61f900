import type { WordCounts } from "./word-counts.ts";

const CODE_POINTS = 0x110000;

/** The characters that a vocabulary is built up from, as code points in ascending order. */
export interface Alphabet {
  /** Characters that get a token of their own. */
  characters: number[];
  /** Those of them that occur inside a word, after its first character: they get a `##` token too. */
  continuing: number[];
}

/**
 * The `limit` most frequent characters of the words, each counted as often as its words occur. Of characters equally
 * frequent at the limit, those with the lower code point stay. A character that is a special token in itself (`kept`)
 * counts among those that may continue a word even if the limit cuts it.
 */
export function alphabetOf(words: WordCounts, limit: number, kept: ReadonlySet<string> = new Set()): Alphabet {
  const frequency = new Float64Array(CODE_POINTS);
  const continues = new Uint8Array(CODE_POINTS);
  const found: number[] = [];
  const { units, ends, counts } = words;
  for (let word = 0; word < words.size; word++) {
    const start = ends[word];
    const end = ends[word + 1];
    for (let i = start; i < end; ) {
      const character = codePointAt(units, i, end);
      if (frequency[character] === 0) found.push(character);
      frequency[character] += counts[word];
      if (i > start) continues[character] = 1;
      i += character > 0xffff ? 2 : 1;
    }
  }

  found.sort((a, b) => a - b);
  const characters = found.toSorted((a, b) => frequency[b] - frequency[a] || a - b).slice(0, limit);
  const inAlphabet = new Set(characters);
  return {
    characters: characters.sort((a, b) => a - b),
    continuing: found.filter(
      (character) =>
        continues[character] === 1 && (inAlphabet.has(character) || kept.has(String.fromCodePoint(character))),
    ),
  };
}

/** The code point that starts at `units[i]`; a surrogate without its partner stands for itself. */
export function codePointAt(units: Uint16Array, i: number, end: number): number {
  const unit = units[i];
  if (unit < 0xd800 || unit > 0xdbff || i + 1 === end) return unit;
  const next = units[i + 1];
  return next >= 0xdc00 && next <= 0xdfff ? ((unit - 0xd800) << 10) + (next - 0xdc00) + 0x10000 : unit;
}
