import { readConll } from "../../formats/conll.node.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { TaggingReading, WordsOrText } from "../definitions/token-classification.ts";

/** Reads sentences of words with a tag each from a file in the manner of CoNLL. Throws the errors of `readConll`. */
export async function readTaggedSentences(
  path: string,
  options: TaggingReading,
): Promise<Examples<WordsOrText, readonly string[]>> {
  const examples: Example<WordsOrText, readonly string[]>[] = [];
  for await (const { tokens, tags, line } of readConll(path, { ...options, tagged: true })) {
    examples.push({ input: tokens, gold: tags, place: `${path}, line ${line}` });
  }
  return { file: path, examples, skipped: {} };
}
