/** The words of a text, in lower case and without punctuation. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** How much two texts have in common: Jaccard's index of their words (1901), 0 to 1. */
export function overlap(a: string, b: string): number {
  const [left, right] = [new Set(wordsOf(a)), new Set(wordsOf(b))];
  const both = [...left].filter((word) => right.has(word)).length;
  return both / Math.max(1, left.size + right.size - both);
}

/** How rare words are: the logarithm of the share of texts that have them, negated, from 0 for one that is in all. */
export function rarity(texts: readonly string[]): (word: string) => number {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of new Set(wordsOf(text))) counts.set(word, (counts.get(word) ?? 0) + 1);
  return (word) => Math.log(texts.length / (counts.get(word) ?? 1));
}
