import { ClozeError } from "../base/errors.ts";
import { requireKnown } from "../base/require-known.ts";
import { forEachWord } from "./pre-tokenize.ts";
import { alphabetOf } from "./training/alphabet.ts";
import { breather } from "./training/breather.ts";
import { learnTokens } from "./training/learn-tokens.ts";
import { spellWords } from "./training/spelled-words.ts";
import { seedTokens, type TokenTable } from "./training/token-table.ts";
import { WordCounts } from "./training/word-counts.ts";

/** The special tokens of BERT, in the order in which a trained vocabulary begins with them. */
export const SPECIAL_TOKENS: readonly string[] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

export interface TrainVocabularyOptions {
  /** Tokens that the vocabulary may have, special tokens and alphabet included. BERT's has 30,522. */
  size: number;
  /** Lower-case the text. Default true. */
  lowercase?: boolean;
  /** Drop accents. Default: as `lowercase`. */
  stripAccents?: boolean;
  /** How often two tokens must adjoin to be joined into a new one. Default 2. */
  minFrequency?: number;
  /** Characters that get a token; words with a rarer one become `[UNK]`. Default 1000; may be Infinity. */
  limitAlphabet?: number;
  /** Tokens that the vocabulary begins with. Default `[PAD] [UNK] [CLS] [SEP] [MASK]`. */
  specialTokens?: readonly string[];
  /** Called now and then, and once at the end of each stage. */
  onProgress?: (progress: VocabularyProgress) => void;
  /** Stops the training with an ABORTED error. */
  signal?: AbortSignal;
}

export type VocabularyProgress =
  | {
      stage: "count";
      /** UTF-16 code units of text read. */
      characters: number;
      /** Words counted. */
      words: number;
    }
  | {
      stage: "merge";
      /** Tokens found. */
      tokens: number;
      /** Tokens wanted. */
      size: number;
    };

export interface TrainedVocabulary {
  /** The tokens in the order of their ids. Fewer than `size` where the text has no more pairs of `minFrequency`. */
  tokens: string[];
  /** Words in the text, after normalisation. */
  words: number;
  /** Different words among them. */
  distinctWords: number;
}

/**
 * Trains a WordPiece vocabulary: starts from single characters and joins the two tokens that adjoin most often inside
 * of words, again and again, until the vocabulary is full. This is what the WordPiece trainer of Hugging Face
 * tokenizers does (byte-pair encoding, Sennrich et al. 2016, with `##` before what continues a word), and the outcome
 * is the same but for ties, which its hash tables break by chance. Here they are broken by rule, and the outcome
 * depends on the words and their counts only:
 *
 * - ids: special tokens, then characters by code point, then `##` characters by code point, then tokens as they are made;
 * - of pairs that adjoin equally often, the one with the lower left id comes first, then the one with the lower right id;
 * - of characters equally frequent at `limitAlphabet`, those of lower code point stay.
 *
 * @param texts A text, or the pieces of one, read once and not kept. A word never goes on from one piece to the next:
 *   pieces are lines, paragraphs, or blocks cut at a line's end.
 * @throws ClozeError OPTION_INVALID for an option out of its range or a piece that is no string, TEXT_EMPTY if the
 *   texts hold no word, VOCABULARY_TOO_SMALL if `size` cannot hold special tokens and alphabet, ABORTED.
 */
export async function trainVocabulary(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainVocabularyOptions,
): Promise<TrainedVocabulary> {
  requireKnown(options, {
    size: true,
    lowercase: true,
    stripAccents: true,
    minFrequency: true,
    limitAlphabet: true,
    specialTokens: true,
    onProgress: true,
    signal: true,
  });
  const { size, limitAlphabet = 1000, minFrequency = 2, specialTokens = SPECIAL_TOKENS, onProgress } = options;
  requireInteger("size", size, 1);
  requireInteger("minFrequency", minFrequency, 0);
  if (limitAlphabet !== Number.POSITIVE_INFINITY) requireInteger("limitAlphabet", limitAlphabet, 1);
  if (specialTokens.some((token) => !/^\S+$/.test(token))) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the option specialTokens has a value that it cannot take",
      expected: "tokens without white space, each of a character or more",
      received: JSON.stringify(specialTokens),
    });
  }
  const breathe = breather(options.signal);
  await breathe();

  const words = await countWords(texts, options, breathe);
  const table = seedTokens(specialTokens, alphabetOf(words, limitAlphabet, new Set(specialTokens)));
  requireRoom(size, specialTokens, table);

  const onTokens = (tokens: number) => onProgress?.({ stage: "merge", tokens, size });
  await learnTokens(spellWords(words, table), table, { size, minFrequency, breathe, onTokens });
  onTokens(table.tokens.length);
  return { tokens: table.tokens, words: words.total, distinctWords: words.size };
}

async function countWords(
  texts: AsyncIterable<string> | Iterable<string>,
  options: TrainVocabularyOptions,
  breathe: () => Promise<void> | undefined,
): Promise<WordCounts> {
  const { lowercase = true, stripAccents = lowercase, onProgress } = options;
  const words = new WordCounts();
  const add = (word: string) => words.add(word);
  let characters = 0;
  const report = () => onProgress?.({ stage: "count", characters, words: words.total });

  // A string is an iterable of characters too, and each would count as a piece.
  for await (const text of typeof texts === "string" ? [texts] : texts) {
    if (typeof text !== "string") {
      throw new ClozeError("OPTION_INVALID", {
        problem: "a piece of text is not a string",
        received: Object.prototype.toString.call(text),
        cure: "Decode bytes first, for example with a TextDecoderStream.",
      });
    }
    forEachWord(text, { lowercase, stripAccents }, add);
    characters += text.length;
    const pause = breathe();
    if (pause !== undefined) {
      report();
      await pause;
    }
  }
  report();

  if (words.size === 0) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: "there is no text to train a vocabulary from",
      expected: "at least one word",
      received: `${characters} characters without a word`,
      cure: "Check that the files are the right ones and are not empty.",
    });
  }
  return words;
}

function requireInteger(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `the option ${name} has a value that it cannot take`,
    expected: `a whole number from ${least} on`,
    received: String(value),
  });
}

function requireRoom(size: number, specialTokens: readonly string[], table: TokenTable): void {
  const least = table.tokens.length;
  if (size >= least) return;
  const special = new Set(specialTokens).size;
  throw new ClozeError("VOCABULARY_TOO_SMALL", {
    problem: `a vocabulary of ${size} tokens cannot hold ${special} special tokens and an alphabet of ${least - special}`,
    expected: `a size of ${least} or more`,
    received: String(size),
    cure: `Raise size to ${least}, or lower limitAlphabet.`,
  });
}
