import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { formatJson } from "../formats/json.ts";
import { AddedTokenSchema, fromFile, toFile } from "./added-token-json.ts";
import { checkForm, parseFile } from "./checked-json.ts";
import type { SpecialTokens, TokenizerOptions, TokenizerSpec } from "./spec.ts";
import type { FileContent } from "./tokenizer-json.ts";

const FILE = "tokenizer_config.json";

/** From here on, `model_max_length` means that nobody set it: Hugging Face then writes about 1e30. */
const ENDLESS = 2 ** 31;

/** Tokenizers that read vocab.txt as BERT's does, each also with "Fast" at its end. */
const CLASSES = ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer"];

const tokenName = z.union([z.string(), AddedTokenSchema.transform(({ content }) => content)]).nullish();
const FileSchema = z.object({
  tokenizer_class: z.string().nullish(),
  do_lower_case: z.boolean().optional(),
  do_basic_tokenize: z.literal(true).optional(),
  never_split: z.array(z.string()).max(0).nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().optional(),
  model_max_length: z.number().positive().nullish(),
  pad_token: tokenName,
  unk_token: tokenName,
  cls_token: tokenName,
  sep_token: tokenName,
  mask_token: tokenName,
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), AddedTokenSchema).default({}),
});

/**
 * Reads tokenizer_config.json, the file of Hugging Face's transformers. Its other fields are theirs alone.
 *
 * @param isAlone whether there is no tokenizer.json, so that the class alone says how texts are cut
 * @throws ClozeError TOKENIZER_MALFORMED, TOKENIZER_UNSUPPORTED
 */
export function parseTokenizerConfig(text: string, isAlone: boolean): FileContent {
  const file = checkForm(FileSchema, parseFile(text, FILE), FILE);
  const kind = file.tokenizer_class ?? CLASSES[0];
  if (isAlone && !CLASSES.includes(kind.replace(/Fast$/, ""))) {
    throw new ClozeError("TOKENIZER_UNSUPPORTED", {
      problem: `${FILE} names a class whose vocab.txt Cloze does not read`,
      expected: CLASSES.join(", "),
      received: kind,
      cure: "Save the tokenizer with a tokenizer.json, or use a BERT model's.",
    });
  }
  const added = Object.entries(file.added_tokens_decoder).sort(([a], [b]) => Number(a) - Number(b));
  return {
    ids: added.map(([id, { content }]) => [content, Number(id)]),
    options: {
      ...(file.do_lower_case !== undefined && { lowercase: file.do_lower_case }),
      ...(file.strip_accents !== undefined && { stripAccents: file.strip_accents }),
      ...(file.tokenize_chinese_chars !== undefined && { handleChineseChars: file.tokenize_chinese_chars }),
      ...(file.model_max_length && file.model_max_length < ENDLESS && { maxLength: file.model_max_length }),
      specialTokens: specialTokensOf(file),
      addedTokens: added.map(([, token]) => fromFile(token)),
    },
  };
}

function specialTokensOf(file: z.output<typeof FileSchema>): TokenizerOptions["specialTokens"] {
  const names: [keyof SpecialTokens, string | null | undefined][] = [
    ["pad", file.pad_token],
    ["unk", file.unk_token],
    ["cls", file.cls_token],
    ["sep", file.sep_token],
    ["mask", file.mask_token],
  ];
  return Object.fromEntries(names.filter(([, name]) => name != null));
}

/** Writes tokenizer_config.json as Hugging Face's transformers reads it. */
export function formatTokenizerConfig(spec: TokenizerSpec): string {
  const { normalizer, specialTokens } = spec;
  const idOf = (token: string) => spec.vocabulary.idOf(token)!;
  const file = {
    added_tokens_decoder: Object.fromEntries(
      spec.addedTokens.map((token) => [String(idOf(token.content)), toFile(token)]),
    ),
    tokenizer_class: CLASSES[0],
    do_lower_case: normalizer.lowercase,
    strip_accents: normalizer.stripAccents,
    tokenize_chinese_chars: normalizer.handleChineseChars,
    ...(spec.maxLength < ENDLESS && { model_max_length: spec.maxLength }),
    clean_up_tokenization_spaces: spec.cleanUpSpaces,
    pad_token: specialTokens.pad,
    unk_token: specialTokens.unk,
    cls_token: specialTokens.cls,
    sep_token: specialTokens.sep,
    mask_token: specialTokens.mask,
  };
  return formatJson(file);
}
