import { hasText } from "../../base/has-text.ts";
import { detectScheme, invalidTransitions, TAG_SCHEMES } from "../../data/tag-schemes.ts";
import { readConll } from "../../formats/conll.node.ts";
import type { ConllSentence } from "../../formats/conll.ts";
import type { OpenFile } from "../../formats/text.node.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { GoldTags, TaggingReading, WordsOrText } from "../definitions/token-classification.ts";
import { InputCounts, type SkipCounts } from "../run/input-counts.ts";

/**
 * Reads sentences of words with a tag each from a file in the manner of CoNLL. Its notes count words without a token, and the
 * transitions that break the file's own scheme. Throws the errors of `readConll`.
 */
export async function readTaggedSentences(
  path: string,
  { separator, tokenColumn, tagColumn }: TaggingReading,
): Promise<Examples<WordsOrText, GoldTags>> {
  const examples: Example<WordsOrText, GoldTags>[] = [];
  const counts = new InputCounts();
  for await (const sentence of readConll(path, { separator, columns: [tokenColumn, tagColumn] })) {
    const { columns, lines } = sentence;
    const [words, tags] = columns;
    const placeOf = (word: number) => `${path}, line ${lines[word]}`;
    examples.push({ input: words, gold: { tags, placeOf }, place: placeOf(0) });
    countOdd(path, sentence, counts);
  }
  const { skipped, places } = counts;
  const notes = { ...counts.notes, ...invalidOnes(examples.map(({ gold }) => gold.tags)) };
  return { file: path, examples, skipped, places, notes };
}

/** Counts the rows that were left out, and the words that leave nothing to be judged. */
function countOdd(path: string, { columns: [words], lines, skipped = [] }: ConllSentence, counts: SkipCounts): void {
  for (const line of skipped) counts.skip("of multiword tokens or empty nodes", `${path}, line ${line}`);
  for (const [i, word] of words.entries()) {
    if (!hasText(word)) counts.note("of the words invisible, without a token", `${path}, line ${lines[i]}`);
  }
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
 * read only where `tagColumn` is given. What is left out or odd is counted. Throws the errors of `readConll`.
 */
export async function* readUntaggedSentences(
  source: string | OpenFile,
  { separator, tokenColumn = 0, tagColumn }: Partial<TaggingReading> = {},
  counts: SkipCounts = new InputCounts(),
): AsyncGenerator<UntaggedSentence> {
  const columns = tagColumn === undefined ? [tokenColumn] : [tokenColumn, tagColumn];
  const path = typeof source === "string" ? source : source.name;
  for await (const sentence of readConll(source, { separator, columns })) {
    const [words, tags] = sentence.columns;
    countOdd(path, sentence, counts);
    yield { words, tags };
  }
}
