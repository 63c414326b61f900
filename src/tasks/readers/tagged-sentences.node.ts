import { detectScheme, invalidTransitions, TAG_SCHEMES } from "../../data/tag-schemes.ts";
import { readConll } from "../../formats/conll.node.ts";
import type { OpenFile } from "../../formats/text.node.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { GoldTags, TaggingReading, WordsOrText } from "../definitions/token-classification.ts";

/**
 * Reads sentences of words with a tag each from a file in the manner of CoNLL. Its notes count the transitions that break
 * the file's own scheme. Throws the errors of `readConll`.
 */
export async function readTaggedSentences(
  path: string,
  { separator, tokenColumn, tagColumn }: TaggingReading,
): Promise<Examples<WordsOrText, GoldTags>> {
  const examples: Example<WordsOrText, GoldTags>[] = [];
  for await (const { columns, lines } of readConll(path, { separator, columns: [tokenColumn, tagColumn] })) {
    const [words, tags] = columns;
    const placeOf = (word: number) => `${path}, line ${lines[word]}`;
    examples.push({ input: words, gold: { tags, placeOf }, place: placeOf(0) });
  }
  const notes = invalidOnes(examples.map(({ gold }) => gold.tags));
  return { file: path, examples, skipped: {}, notes };
}

function invalidOnes(sentences: readonly (readonly string[])[]): Record<string, number> {
  const detected = detectScheme(sentences);
  const scheme = TAG_SCHEMES.find((name) => name === detected);
  if (scheme === undefined) return {};
  const count = sentences.reduce((sum, tags) => sum + invalidTransitions(tags, scheme).length, 0);
  return count === 0 ? {} : { [`out of ${scheme}'s order, read by conlleval's rules`]: count };
}

/** A sentence to predict for. */
export interface UntaggedSentence {
  readonly words: readonly string[];
  /** The tags that its file has, if they were asked for. */
  readonly tags?: readonly string[];
}

/** Whether a file's name says that it has a word a line: `.conll` and its like, `.bio`, `.iob`, `.iob2`, `.bioes`. */
export function isConllName(path: string): boolean {
  return /\.(?:conll\w*|bio|iob[12]?|bioes)(?:\.txt)?(?:\.gz)?$/i.test(path);
}

/**
 * Reads sentences of words to predict for, one after another, from a path or an open file. Tags need not be there, and are
 * read only where `tagColumn` is given. Throws the errors of `readConll`.
 */
export async function* readUntaggedSentences(
  source: string | OpenFile,
  { separator, tokenColumn = 0, tagColumn }: Partial<TaggingReading> = {},
): AsyncGenerator<UntaggedSentence> {
  const columns = tagColumn === undefined ? [tokenColumn] : [tokenColumn, tagColumn];
  for await (const { columns: found } of readConll(source, { separator, columns })) {
    const [words, tags] = found;
    yield { words, tags };
  }
}
