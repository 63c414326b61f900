import { ClozeError } from "../base/errors.ts";
import type { NormalizerOptions } from "./characters.ts";
import { Vocabulary } from "./vocabulary.ts";

/** The tokens that BERT gives a meaning of their own. */
export interface SpecialTokens {
  readonly pad: string;
  readonly unk: string;
  readonly cls: string;
  readonly sep: string;
  readonly mask: string;
}

/** A token that is found in a text before anything else happens to it, as `AddedToken` in tokenizer.json. */
export interface AddedToken {
  readonly content: string;
  /** Left out when decoding without special tokens. */
  readonly special: boolean;
  /** Sought in the normalised text, itself normalised, rather than in the text as it is. */
  readonly normalized: boolean;
  /** Found only where no letter, digit, mark or underscore adjoins it. */
  readonly singleWord: boolean;
  /** Takes in the white space before it. */
  readonly stripLeft: boolean;
  /** Takes in the white space after it. */
  readonly stripRight: boolean;
}

export interface TokenizerOptions extends NormalizerOptions {
  /** Other names for the special tokens; `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]` where left out. */
  readonly specialTokens?: Partial<SpecialTokens>;
  /** Further tokens to find in texts. Those that the vocabulary lacks get the ids that follow it. */
  readonly addedTokens?: readonly (Partial<AddedToken> & Pick<AddedToken, "content">)[];
  /** What a token begins with that continues a word. Default "##". */
  readonly continuingPrefix?: string;
  /** Words of more characters (code points) become the unknown token. Default 100. */
  readonly maxWordLength?: number;
  /** When decoding, drop the blank before a full stop, a comma and the like. Default true. */
  readonly cleanUpSpaces?: boolean;
  /** Tokens that the model takes, special ones included. Default: as many as there are. */
  readonly maxLength?: number;
}

/** All that there is to know about a tokenizer: what its files say, in one form. */
export interface TokenizerSpec {
  /** The tokens of the WordPiece model, then those that are only added. */
  readonly vocabulary: Vocabulary;
  /** How many of them the WordPiece model has. */
  readonly modelSize: number;
  readonly normalizer: Required<NormalizerOptions>;
  readonly specialTokens: SpecialTokens;
  /** All of them, special ones included. */
  readonly addedTokens: readonly AddedToken[];
  readonly continuingPrefix: string;
  readonly maxWordLength: number;
  readonly cleanUpSpaces: boolean;
  readonly maxLength: number;
}

const BERT_SPECIAL_TOKENS: SpecialTokens = { pad: "[PAD]", unk: "[UNK]", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]" };

/**
 * A tokenizer's full description from the tokens of its WordPiece model, in the order of their ids, and options.
 *
 * @throws ClozeError VOCABULARY_MALFORMED, SPECIAL_TOKEN_MISSING, OPTION_INVALID
 */
export function describeTokenizer(modelTokens: readonly string[], options: TokenizerOptions = {}): TokenizerSpec {
  const { lowercase = true, stripAccents = null, handleChineseChars = true, cleanText = true } = options;
  const { continuingPrefix = "##", cleanUpSpaces = true, maxWordLength = 100, maxLength = Infinity } = options;
  requirePositive("maxWordLength", maxWordLength);
  requirePositive("maxLength", maxLength);
  const specialTokens = { ...BERT_SPECIAL_TOKENS, ...options.specialTokens };
  const byContent = new Map<string, AddedToken>();
  for (const content of Object.values(specialTokens)) byContent.set(content, addedToken({ content, special: true }));
  for (const token of options.addedTokens ?? []) byContent.set(token.content, addedToken(token));
  const inModel = new Set(modelTokens);
  const vocabulary = new Vocabulary([
    ...modelTokens,
    ...new Set(options.addedTokens?.map(({ content }) => content).filter((content) => !inModel.has(content))),
  ]);
  requireSpecialTokens(specialTokens, vocabulary);
  return {
    vocabulary,
    modelSize: modelTokens.length,
    normalizer: { lowercase, stripAccents, handleChineseChars, cleanText },
    specialTokens,
    addedTokens: [...byContent.values()],
    continuingPrefix,
    maxWordLength,
    cleanUpSpaces,
    maxLength,
  };
}

function addedToken(token: Partial<AddedToken> & Pick<AddedToken, "content">): AddedToken {
  const { content, special = false, singleWord = false, stripLeft = false, stripRight = false } = token;
  if (content === "") throw invalid("addedTokens", "a content of one character or more", '""');
  return { content, special, normalized: token.normalized ?? !special, singleWord, stripLeft, stripRight };
}

function requireSpecialTokens(specialTokens: SpecialTokens, vocabulary: Vocabulary): void {
  const missing = Object.values(specialTokens).filter((token) => vocabulary.idOf(token) === undefined);
  if (missing.length === 0) return;
  throw new ClozeError("SPECIAL_TOKEN_MISSING", {
    problem: `the vocabulary lacks ${missing.join(", ")}`,
    expected: Object.values(specialTokens).join(", "),
    cure: "Name the special tokens that the vocabulary has, or add these to it.",
  });
}

function requirePositive(name: string, value: number): void {
  const isCount = value === Infinity || (Number.isInteger(value) && value > 0);
  if (!isCount) throw invalid(name, "a positive integer", String(value));
}

function invalid(option: string, expected: string, received: string): ClozeError {
  return new ClozeError("OPTION_INVALID", { problem: `The option ${option} has a wrong value`, expected, received });
}
