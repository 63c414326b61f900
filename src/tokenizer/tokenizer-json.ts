import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { formatJson } from "../formats/json.ts";
import { AddedTokenSchema, fromFile, toFile } from "./added-token-json.ts";
import { checkForm, parseFile } from "./checked-json.ts";
import type { TokenizerOptions, TokenizerSpec } from "./spec.ts";
import { malformedVocabulary } from "./vocabulary.ts";

/** What a file says about a tokenizer. */
export interface FileContent {
  readonly options: TokenizerOptions;
  /** The ids that these tokens must turn out to have. */
  readonly ids: readonly (readonly [token: string, id: number])[];
}

const FILE = "tokenizer.json";

/** What each part of the file must be. Another kind of part makes other tokens, and is not read as if it were BERT's. */
const PARTS = [
  ["model", ["WordPiece"]],
  ["normalizer", ["BertNormalizer"]],
  ["pre_tokenizer", ["BertPreTokenizer"]],
  ["post_processor", ["TemplateProcessing", "BertProcessing"]],
  ["decoder", ["WordPiece", "none"]],
] as const;

const part = z.object({ type: z.string() }).nullish();
const PartsSchema = z.object({
  model: z.object({ type: z.string().default("WordPiece") }), // the first versions of the library did not write it
  normalizer: part,
  pre_tokenizer: part,
  post_processor: part,
  decoder: part,
});

const id = z.int().nonnegative();
const PlaceSchema = z.union([
  z.object({ SpecialToken: z.object({ id: z.string(), type_id: id }) }),
  z.object({ Sequence: z.object({ id: z.string(), type_id: id }) }),
]);
const PostProcessorSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("BertProcessing"), cls: z.tuple([z.string(), id]), sep: z.tuple([z.string(), id]) }),
  z.object({
    type: z.literal("TemplateProcessing"),
    single: z.array(PlaceSchema),
    pair: z.array(PlaceSchema),
    special_tokens: z.record(z.string(), z.object({ ids: z.tuple([id]) })),
  }),
]);
const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const FileSchema = z.object({
  added_tokens: z.array(AddedTokenSchema.extend({ id })).default([]),
  normalizer: z.object({
    clean_text: z.boolean(),
    handle_chinese_chars: z.boolean(),
    strip_accents: z.boolean().nullish(),
    lowercase: z.boolean(),
  }),
  post_processor: PostProcessorSchema,
  decoder: z.object({ prefix: z.string(), cleanup: z.boolean() }).nullish(),
  model: z.object({
    unk_token: z.string(),
    continuing_subword_prefix: z.string().default("##"),
    max_input_chars_per_word: z.int().positive().default(100),
    vocab: z.custom<Record<string, unknown>>(isRecord, "must be an object"), // as z.record, but keeps "__proto__"
  }),
});

/**
 * Reads tokenizer.json, the file of the Rust `tokenizers` library. Its `truncation` and `padding` are left aside: Cloze
 * truncates where it is asked to, and pads nothing.
 *
 * @throws ClozeError TOKENIZER_MALFORMED, TOKENIZER_UNSUPPORTED, VOCABULARY_MALFORMED
 */
export function parseTokenizerJson(text: string): FileContent & { readonly modelTokens: string[] } {
  const json = parseFile(text, FILE);
  requireBertParts(checkForm(PartsSchema, json, FILE));
  const { added_tokens, normalizer, post_processor, decoder, model } = checkForm(FileSchema, json, FILE);
  const continuingPrefix = model.continuing_subword_prefix;
  if (decoder && decoder.prefix !== continuingPrefix) {
    throw unsupported("decoder.prefix", `"${continuingPrefix}", as in the model`, `"${decoder.prefix}"`);
  }
  const { cls, sep } = frameOf(post_processor);
  const added = added_tokens.toSorted((a, b) => a.id - b.id);
  return {
    modelTokens: tokensById(model.vocab),
    ids: [cls, sep, ...added.map(({ content, id }) => [content, id] as const)],
    options: {
      lowercase: normalizer.lowercase,
      stripAccents: normalizer.strip_accents ?? null,
      handleChineseChars: normalizer.handle_chinese_chars,
      cleanText: normalizer.clean_text,
      specialTokens: { unk: model.unk_token, cls: cls[0], sep: sep[0] },
      addedTokens: added.map(fromFile),
      continuingPrefix,
      maxWordLength: model.max_input_chars_per_word,
      cleanUpSpaces: decoder?.cleanup ?? true,
    },
  };
}

function requireBertParts(parts: z.output<typeof PartsSchema>): void {
  for (const [name, kinds] of PARTS) {
    const type = parts[name]?.type ?? "none";
    if (!kinds.some((kind) => kind === type)) throw unsupported(name, kinds.join(" or "), type);
  }
}

/** The tokens around texts, with their ids, if they stand where BERT has them. */
function frameOf(processor: z.output<typeof PostProcessorSchema>) {
  if (processor.type === "BertProcessing") return processor;
  const [single, pair] = [processor.single, processor.pair].map((places) =>
    places.map((place) => ("Sequence" in place ? place.Sequence : place.SpecialToken)),
  );
  const cls = single.at(0)?.id ?? "";
  const sep = single.at(-1)?.id ?? "";
  const written = [...single, ...pair].map(({ id, type_id }) => `${id}:${type_id}`).join(" ");
  const expected = `${cls}:0 A:0 ${sep}:0 ${cls}:0 A:0 ${sep}:0 B:1 ${sep}:1`;
  if (written !== expected) throw unsupported("post_processor", "[CLS]:0 A:0 [SEP]:0 B:1 [SEP]:1", written);
  const idOf = (token: string): [string, number] => {
    const special = processor.special_tokens[token];
    if (special === undefined) throw unsupported("post_processor", `an id for ${token}`, "none");
    return [token, special.ids[0]];
  };
  return { cls: idOf(cls), sep: idOf(sep) };
}

/** Distinct ids below their number leave no hole. */
function tokensById(vocab: Record<string, unknown>): string[] {
  const entries = Object.entries(vocab);
  const tokens = new Array<string>(entries.length);
  for (const [token, id] of entries) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= tokens.length) {
      throw malformedVocabulary(`"${token}" has the id ${id}`, `each id from 0 to ${tokens.length - 1} once`);
    }
    if (id in tokens) throw malformedVocabulary(`"${tokens[id]}" and "${token}" share the id ${id}`, "one id for each");
    tokens[id] = token;
  }
  return tokens;
}

function unsupported(field: string, expected: string, received: string): ClozeError {
  return new ClozeError("TOKENIZER_UNSUPPORTED", {
    problem: `${FILE} is not a BERT tokenizer's: see ${field}`,
    expected,
    received,
    cure: "Use the tokenizer of a BERT model; others need another program.",
  });
}

/** Writes tokenizer.json as the Rust `tokenizers` library does. */
export function formatTokenizerJson(spec: TokenizerSpec): string {
  const { normalizer, specialTokens } = spec;
  const { cls, sep, unk } = specialTokens;
  const idOf = (token: string) => spec.vocabulary.idOf(token)!;
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special(cls, 0), sequence("A", 0), special(sep, 0)];
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: spec.addedTokens
      .map((token) => ({ id: idOf(token.content), ...toFile(token) }))
      .sort((a, b) => a.id - b.id),
    normalizer: {
      type: "BertNormalizer",
      clean_text: normalizer.cleanText,
      handle_chinese_chars: normalizer.handleChineseChars,
      strip_accents: normalizer.stripAccents,
      lowercase: normalizer.lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), special(sep, 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map((token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: spec.continuingPrefix, cleanup: spec.cleanUpSpaces },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: spec.continuingPrefix,
      max_input_chars_per_word: spec.maxWordLength,
      vocab: Object.fromEntries(spec.vocabulary.tokens.slice(0, spec.modelSize).map((token, id) => [token, id])),
    },
  };
  return formatJson(file);
}
