import { convertTags, detectScheme } from "../data/tag-schemes.ts";
import { readConll } from "../formats/conll.node.ts";
import type { Example, Examples } from "./task.ts";
import type { TaggingReading, WordsOrText } from "./token-classification.ts";

/**
 * Reads sentences of words with a tag each from a file in the manner of CoNLL. Tags of entities are turned into one scheme,
 * others stay. Throws the errors of `readConll`, and ROW_MALFORMED for tags of no scheme.
 */
export async function readTaggedSentences(
  path: string,
  { scheme, ...options }: TaggingReading,
): Promise<Examples<WordsOrText, readonly string[]>> {
  const examples: Example<WordsOrText, readonly string[]>[] = [];
  for await (const { tokens, tags, line } of readConll(path, { ...options, tagged: true })) {
    examples.push({ input: tokens, gold: tags, place: `${path}, line ${line}` });
  }
  const isPlain = detectScheme(examples.map(({ gold }) => gold)) === "plain";
  const converted = isPlain ? examples : examples.map((one) => ({ ...one, gold: convertTags(one.gold, scheme) }));
  return { file: path, examples: converted, skipped: {} };
}
