export interface TaggedWords {
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

/**
 * Each word gets the tag that it has most often in the training data; one that is not there that of the words that are there
 * once and look like it: capitals, digits, other signs.
 */
export function wordTags(train: readonly TaggedWords[]): (word: string) => string {
  const byWord = new TagCounts();
  const byShape = new TagCounts();
  const pairs = train.flatMap(({ words, tags }) => words.map((word, i) => [word, tags[i]] as const));
  for (const [word, tag] of pairs) byWord.add(word, tag);
  for (const [word, tag] of pairs) if (byWord.total(word) === 1) byShape.add(shapeOf(word), tag);
  return (word) => byWord.commonest(word) ?? byShape.commonest(shapeOf(word)) ?? "O";
}

/** "McCain" is "AaAa", "3rd" is "0a". */
function shapeOf(word: string): string {
  const classes = word.replace(/\p{Lu}+/gu, "A").replace(/\p{Ll}+/gu, "a");
  return classes.replace(/\p{N}+/gu, "0");
}

class TagCounts {
  readonly #counts = new Map<string, Map<string, number>>();

  add(key: string, tag: string): void {
    const tags = this.#counts.get(key) ?? new Map<string, number>();
    this.#counts.set(key, tags.set(tag, (tags.get(tag) ?? 0) + 1));
  }

  total(key: string): number {
    return [...(this.#counts.get(key)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** Of tags that are as common the one that came first. */
  commonest(key: string): string | undefined {
    const tags = [...(this.#counts.get(key) ?? [])];
    return tags.sort(([, a], [, b]) => b - a)[0]?.[0];
  }
}
