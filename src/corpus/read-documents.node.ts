import { ClozeError } from "../base/errors.ts";
import { countDocuments, type Documents } from "../data/documents.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { documentTokenizer } from "./document-tokenizer.ts";
import type { SentenceOptions } from "./sentences.ts";
import { joinDocuments } from "./shards.ts";
import { readSourceTexts, type TextOptions } from "./source-texts.node.ts";
import { findSources } from "./sources.node.ts";

export interface ReadDocumentsOptions extends Partial<SentenceOptions & TextOptions> {
  /** Stop after the document with which there are this many tokens, or after the second one. Default: read all. */
  readonly maxTokens?: number;
}

/**
 * Reads texts straight into tokenised documents in memory, as for a held-out set: the same as `cloze prepare` makes.
 *
 * @param sources files, folders and patterns, see `findSources`
 * @throws ClozeError TEXT_EMPTY where there is no token; OPTION_INVALID for the locale; what `findSources` and
 *   `readSourceTexts` throw
 */
export async function readDocuments(
  sources: readonly string[],
  tokenizer: BertTokenizer,
  { lines = "paragraph", locale = "en", textColumn = "text", maxTokens = Infinity }: ReadDocumentsOptions = {},
): Promise<Documents> {
  const tokenize = documentTokenizer(tokenizer, { lines, locale });
  const parts: Documents[] = [];
  let [tokens, count] = [0, 0];
  for (const { path } of await findSources(sources)) {
    for await (const text of readSourceTexts(path, { lines, textColumn })) {
      const { documents } = tokenize([text]);
      parts.push(documents);
      tokens += documents.ids.length;
      count += countDocuments(documents);
      if (tokens >= maxTokens && count > 1) return joinDocuments(parts);
    }
  }
  if (tokens > 0) return joinDocuments(parts);
  throw new ClozeError("TEXT_EMPTY", {
    problem: `${sources.join(", ")}: there is no token in any of the texts`,
    cure: "Check that they are the right files, and --text-column.",
  });
}
