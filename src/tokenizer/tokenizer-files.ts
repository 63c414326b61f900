import { ClozeError } from "../base/errors.ts";
import { describeTokenizer, type TokenizerOptions, type TokenizerSpec } from "./spec.ts";
import { formatTokenizerConfig, parseTokenizerConfig } from "./tokenizer-config.ts";
import { type FileContent, formatTokenizerJson, parseTokenizerJson } from "./tokenizer-json.ts";
import { formatVocabularyText, malformedVocabulary, parseVocabularyText } from "./vocabulary.ts";

/** The files of a tokenizer's folder. The first two each hold a vocabulary; where both are there, the first is read. */
export const TOKENIZER_FILES = ["tokenizer.json", "vocab.txt", "tokenizer_config.json"] as const;

/** The texts of a tokenizer's files, by name. */
export type TokenizerFiles = { readonly [name in (typeof TOKENIZER_FILES)[number]]?: string };

/**
 * A tokenizer's full description from its files. What tokenizer_config.json says outweighs tokenizer.json, as in Hugging
 * Face's transformers, and `overrides` outweigh both. A vocab.txt alone is taken to be uncased.
 *
 * @throws ClozeError FILE_MISSING where neither tokenizer.json nor vocab.txt is there, TOKENIZER_MALFORMED,
 * TOKENIZER_UNSUPPORTED, VOCABULARY_MALFORMED, SPECIAL_TOKEN_MISSING, OPTION_INVALID
 */
export function describeTokenizerFiles(files: TokenizerFiles, overrides: TokenizerOptions = {}): TokenizerSpec {
  const json = files["tokenizer.json"];
  const config = files["tokenizer_config.json"];
  const main = json === undefined ? readVocabulary(files["vocab.txt"]) : parseTokenizerJson(json);
  const beside = config === undefined ? NOTHING : parseTokenizerConfig(config, json === undefined);
  const { ids, options } = json === undefined ? beside : main;
  const given: TokenizerOptions = Object.fromEntries(
    Object.entries(overrides).filter(([, value]) => value !== undefined),
  );
  const spec = describeTokenizer(main.modelTokens, {
    ...main.options,
    ...beside.options,
    ...given,
    specialTokens: {
      ...main.options.specialTokens,
      ...beside.options.specialTokens,
      ...given.specialTokens,
    },
    addedTokens: [...(options.addedTokens ?? []), ...(given.addedTokens ?? [])],
  });
  for (const [token, id] of ids) {
    const actual = spec.vocabulary.idOf(token);
    if (actual === id) continue;
    throw malformedVocabulary(`the file gives "${token}" the id ${id}`, `its place in the vocabulary, ${actual}`);
  }
  return spec;
}

/** The files that `describeTokenizerFiles` reads and other libraries do too. */
export function formatTokenizerFiles(spec: TokenizerSpec): Required<TokenizerFiles> {
  return {
    "vocab.txt": formatVocabularyText(spec.vocabulary.tokens.slice(0, spec.modelSize)),
    "tokenizer.json": formatTokenizerJson(spec),
    "tokenizer_config.json": formatTokenizerConfig(spec),
  };
}

const NOTHING: FileContent = { options: {}, ids: [] };

function readVocabulary(text: string | undefined): FileContent & { readonly modelTokens: string[] } {
  if (text !== undefined) return { ...NOTHING, modelTokens: parseVocabularyText(text) };
  throw new ClozeError("FILE_MISSING", {
    problem: "There is no vocabulary",
    expected: "tokenizer.json or vocab.txt",
    cure: "Name a folder that holds one of them.",
  });
}
