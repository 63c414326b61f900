import { ClozeError } from "../base/errors.ts";
import { type AddedTokens, withAddedTokens } from "./added-tokens.ts";
import { CharacterTable } from "./characters.ts";
import { joinTokens } from "./decode.ts";
import { Encoding, type TokenRange } from "./encoding.ts";
import { describeTokenizer, type SpecialTokens, type TokenizerOptions, type TokenizerSpec } from "./spec.ts";
import { TokenBuffer } from "./token-buffer.ts";
import { describeTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.ts";
import { keptLengths, type Truncation, windowsOver } from "./truncate.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { WordPiece } from "./word-piece.ts";

/**
 * A text; or its words where they are known beforehand, and offsets then count from the start of each; or its tokens, as
 * `append` gives them.
 */
export type Tokenizable = string | readonly string[] | TokenBuffer;

export interface EncodeOptions {
  /** The second text of a pair. */
  readonly pair?: Tokenizable;
  /** Tokens to keep at most, special ones included. Default: all of them. */
  readonly maxLength?: number;
  /** What gives way where that is too few. Default "longest_first". */
  readonly truncation?: Truncation;
  /** Put `[CLS]` and `[SEP]` around the texts. Default true. */
  readonly addSpecialTokens?: boolean;
}

export interface WindowOptions extends EncodeOptions {
  /** Tokens of a window at most, special ones included. Default: as many as the model takes. */
  readonly maxLength?: number;
  /** Tokens that a window has in common with the one before. Default 0. */
  readonly stride?: number;
}

/**
 * BERT's tokenizer: clean-up, lower-casing, accent stripping, splitting and WordPiece (Wu et al. 2016; Devlin et al. 2019).
 * Ids and offsets are those of the Rust `tokenizers` library, except that offsets count UTF-16 code units. A lone surrogate
 * in a text counts as U+FFFD.
 */
export class BertTokenizer {
  readonly vocabulary: Vocabulary;
  /** The ids of the special tokens. */
  readonly specialIds: Readonly<Record<keyof SpecialTokens, number>>;
  /** Everything that its files say. */
  readonly spec: TokenizerSpec;
  readonly #text: AddedTokens;
  readonly #skippable: ReadonlySet<number>;
  readonly #buffers = [new TokenBuffer(), new TokenBuffer()] as const;

  constructor(spec: TokenizerSpec) {
    this.spec = spec;
    this.vocabulary = spec.vocabulary;
    const idOf = (token: string) => this.vocabulary.idOf(token)!; // describeTokenizer has seen to it
    const { pad, unk, cls, sep, mask } = spec.specialTokens;
    this.specialIds = { pad: idOf(pad), unk: idOf(unk), cls: idOf(cls), sep: idOf(sep), mask: idOf(mask) };
    this.#skippable = new Set(spec.addedTokens.filter(({ special }) => special).map(({ content }) => idOf(content)));
    const table = CharacterTable.for(spec.normalizer);
    const wordPiece = new WordPiece(spec.vocabulary.tokens.slice(0, spec.modelSize), table, {
      continuingPrefix: spec.continuingPrefix,
      maxWordLength: spec.maxWordLength,
      unknownId: this.specialIds.unk,
    });
    const added = spec.addedTokens.map((token) => ({ ...token, id: idOf(token.content) }));
    this.#text = withAddedTokens(added, table, wordPiece);
  }

  /**
   * A tokenizer for a vocabulary, uncased unless the options say otherwise.
   *
   * @param tokens in the order of their ids
   * @throws ClozeError VOCABULARY_MALFORMED, SPECIAL_TOKEN_MISSING, OPTION_INVALID
   */
  static fromVocabulary(tokens: readonly string[], options?: TokenizerOptions): BertTokenizer {
    return new BertTokenizer(describeTokenizer(tokens, options));
  }

  /** A tokenizer from the text of a tokenizer.json; throws as `fromFiles` does. */
  static fromJson(text: string, options?: TokenizerOptions): BertTokenizer {
    return BertTokenizer.fromFiles({ "tokenizer.json": text }, options);
  }

  /**
   * A tokenizer from the texts of its files, by name: tokenizer.json or vocab.txt, and tokenizer_config.json if there
   * is one. `options` outweigh what the files say.
   *
   * @throws ClozeError VOCABULARY_MALFORMED, SPECIAL_TOKEN_MISSING, TOKENIZER_MALFORMED, TOKENIZER_UNSUPPORTED,
   * OPTION_INVALID
   */
  static fromFiles(files: TokenizerFiles, options?: TokenizerOptions): BertTokenizer {
    return new BertTokenizer(describeTokenizerFiles(files, options));
  }

  /**
   * Encodes a text or a pair of texts, with the place that each token comes from.
   *
   * @throws ClozeError TRUNCATION_IMPOSSIBLE, OPTION_INVALID
   */
  encode(text: Tokenizable, options: EncodeOptions = {}): Encoding {
    const buffers = this.#tokenize(text, options.pair);
    const kept = this.#keptLengths(buffers, options.maxLength ?? Infinity, options);
    return this.#encoding(
      buffers.map((buffer, index) => ({ buffer, start: 0, end: kept[index] })),
      options,
    );
  }

  /**
   * Encodes a text or a pair of texts that may be longer than the model takes, as windows that share `stride` tokens. Where
   * both texts of a pair are cut, each window of the first stands with each of the second.
   *
   * @throws ClozeError TRUNCATION_IMPOSSIBLE, OPTION_INVALID
   */
  encodeWindows(text: Tokenizable, options: WindowOptions = {}): Encoding[] {
    const { maxLength = this.spec.maxLength, stride = 0 } = options;
    requireCount("stride", stride);
    const buffers = this.#tokenize(text, options.pair);
    const kept = this.#keptLengths(buffers, maxLength, options);
    const [first, second] = buffers.map((buffer, index) =>
      windowsOver(buffer.length, kept[index], stride).map(([start, end]) => ({ buffer, start, end })),
    );
    const combinations = second === undefined ? first.map((a) => [a]) : first.flatMap((a) => second.map((b) => [a, b]));
    return combinations.map((ranges) => this.#encoding(ranges, options));
  }

  /** The ids of a text, without special tokens around it. */
  ids(text: string): Int32Array {
    const buffer = this.#fill(this.#buffers[0], text);
    return buffer.ids.slice(0, buffer.length);
  }

  /**
   * Appends the tokens of a text, without special tokens around it, to `out`, and numbers their words from `out.nextWord`
   * on: for bulk work that needs no copies.
   */
  append(text: string, out: TokenBuffer): void {
    this.#text.append(text, out);
  }

  /**
   * The text that ids stand for, as far as it can be told: case and spacing are those that the tokenizer left.
   *
   * @throws ClozeError ID_OUT_OF_RANGE
   */
  decode(ids: Iterable<number>, options: { readonly skipSpecialTokens?: boolean } = {}): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.vocabulary.tokenOf(id);
      if (!(options.skipSpecialTokens && this.#skippable.has(id))) tokens.push(token);
    }
    return joinTokens(tokens, this.spec.continuingPrefix, this.spec.cleanUpSpaces);
  }

  #tokenize(text: Tokenizable, pair: Tokenizable | undefined): TokenBuffer[] {
    const first = this.#fill(this.#buffers[0], text);
    return pair === undefined ? [first] : [first, this.#fill(this.#buffers[1], pair)];
  }

  #fill(buffer: TokenBuffer, input: Tokenizable): TokenBuffer {
    if (input instanceof TokenBuffer) return input;
    buffer.clear();
    if (typeof input === "string") {
      this.append(input, buffer);
    } else {
      for (const [index, word] of input.entries()) {
        const from = buffer.length;
        this.append(word, buffer);
        buffer.wordIds.fill(index, from, buffer.length);
      }
    }
    return buffer;
  }

  #keptLengths(buffers: readonly TokenBuffer[], maxLength: number, options: EncodeOptions): number[] {
    if (maxLength !== Infinity) requireCount("maxLength", maxLength);
    const { addSpecialTokens = true, truncation = "longest_first" } = options;
    const room = addSpecialTokens ? maxLength - 1 - buffers.length : maxLength;
    const horizon = truncation === "longest_first" ? maxLength : Infinity; // where the Rust library stops counting
    return keptLengths(
      buffers.map(({ length }) => Math.min(length, horizon)),
      room,
      truncation,
    );
  }

  #encoding(ranges: readonly TokenRange[], { addSpecialTokens = true }: EncodeOptions): Encoding {
    return new Encoding(ranges, addSpecialTokens ? this.specialIds : undefined, this.vocabulary);
  }
}

function requireCount(option: string, value: number): void {
  if (Number.isInteger(value) && value >= 0) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `The option ${option} has a wrong value`,
    expected: "a count, 0 or more",
    received: String(value),
  });
}
