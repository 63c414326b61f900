import { codePointAt } from "./alphabet.ts";
import { CONTINUING, type TokenTable } from "./token-table.ts";
import type { WordCounts } from "./word-counts.ts";

/** Distinct words as sequences of token ids, which merging shortens in place. */
export interface SpelledWords {
  size: number;
  /** The tokens of all words, one word after another. */
  symbols: Int32Array;
  /** Word `i` is `symbols[starts[i]]` and the `lengths[i] - 1` symbols after it. */
  starts: Int32Array;
  lengths: Int32Array;
  /** Occurrences of each word. */
  counts: Float64Array;
}

/**
 * Spells each word in the single-character tokens of a seeded table. Characters without a token are left out, and so
 * are the words of fewer than two symbols, in which there is nothing to merge.
 */
export function spellWords(words: WordCounts, table: TokenTable): SpelledWords {
  const ids = characterIds(table.tokens);
  const { units, ends } = words;
  const symbols = new Int32Array(units.length);
  const starts = new Int32Array(words.size);
  const lengths = new Int32Array(words.size);
  const counts = new Float64Array(words.size);

  let size = 0;
  let next = 0;
  for (let word = 0; word < words.size; word++) {
    const start = ends[word];
    const end = ends[word + 1];
    const first = next;
    for (let i = start; i < end; ) {
      const character = codePointAt(units, i, end);
      const id = ids.first[character];
      if (id >= 0) symbols[next++] = i === start ? id : ids.continuing[character];
      i += character > 0xffff ? 2 : 1;
    }
    if (next - first < 2) {
      next = first;
      continue;
    }
    starts[size] = first;
    lengths[size] = next - first;
    counts[size] = words.counts[word];
    size++;
  }
  return { size, symbols, starts, lengths, counts };
}

/** By code point, the ids of the tokens `c` and `##c`; -1 where there is none. */
function characterIds(tokens: readonly string[]): { first: Int32Array; continuing: Int32Array } {
  const first = new Int32Array(0x110000).fill(-1);
  const continuing = new Int32Array(0x110000).fill(-1);
  for (const [id, token] of tokens.entries()) {
    const only = onlyCodePoint(token);
    if (only !== undefined) first[only] = id;
    const rest = token.startsWith(CONTINUING) ? onlyCodePoint(token.slice(CONTINUING.length)) : undefined;
    if (rest !== undefined) continuing[rest] = id;
  }
  return { first, continuing };
}

function onlyCodePoint(text: string): number | undefined {
  const character = text.codePointAt(0);
  return character !== undefined && text.length === (character > 0xffff ? 2 : 1) ? character : undefined;
}
