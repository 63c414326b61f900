import { PairMerger } from "./pair-merger.ts";
import type { SpelledWords } from "./spelled-words.ts";
import type { TokenTable } from "./token-table.ts";

const MERGES_BETWEEN_BREATHS = 32;

export interface LearnOptions {
  /** Tokens to stop at. */
  size: number;
  /** Occurrences that a pair must have to become a token. */
  minFrequency: number;
  /** Awaited every few merges. */
  breathe: () => Promise<void> | undefined;
  /** Told the number of tokens every few merges. */
  onTokens?: ((tokens: number) => void) | undefined;
}

/** Adds to a seeded table the tokens that merging the most frequent pairs makes, until one of the limits is reached. */
export async function learnTokens(words: SpelledWords, table: TokenTable, options: LearnOptions): Promise<void> {
  const { size, minFrequency, breathe, onTokens } = options;
  const merger = new PairMerger(words);
  for (let merges = 1; table.tokens.length < size; merges++) {
    const pair = merger.next();
    if (pair === undefined || pair.count < minFrequency) break;
    merger.merge(table.addJoined(pair.left, pair.right));
    if (merges % MERGES_BETWEEN_BREATHS === 0) {
      onTokens?.(table.tokens.length);
      await breathe();
    }
  }
}
