import type { TokenBuffer } from "./token-buffer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A run of tokens: rows [start, end) of a buffer. */
export interface TokenRange {
  readonly buffer: TokenBuffer;
  readonly start: number;
  readonly end: number;
}

/** The ids of the tokens that stand around sequences: `[CLS] first [SEP] second [SEP]`. */
export interface Frame {
  readonly cls: number;
  readonly sep: number;
}

/**
 * One input of the model: a text, or a pair of texts, as token ids with the place that each token comes from. There is no
 * attention mask, since nothing is padded.
 */
export class Encoding {
  readonly ids: Int32Array;
  /**
   * Start and end of each token in its text, in UTF-16 code units, so that `text.slice(start, end)` is what it was made of:
   * two entries a token, both 0 for special tokens that were put around the texts.
   */
  readonly offsets: Int32Array;
  /** The word of its text that each token belongs to, counted from 0, or -1 for special tokens around the texts. */
  readonly wordIds: Int32Array;
  /** Whether the texts have more tokens than these. */
  readonly truncated: boolean;
  readonly #lengths: readonly number[];
  readonly #framed: number;
  readonly #vocabulary: Vocabulary;
  #tokens: string[] | undefined;
  #typeIds: Int32Array | undefined;
  #sequenceIds: Int32Array | undefined;
  #specialTokensMask: Int32Array | undefined;

  /** Puts `[CLS]` and `[SEP]` around the one or two sequences if `frame` has their ids. */
  constructor(sequences: readonly TokenRange[], frame: Frame | undefined, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#framed = frame === undefined ? 0 : 1;
    this.#lengths = sequences.map(({ start, end }) => end - start);
    this.truncated = sequences.some(({ buffer, start, end }) => start > 0 || end < buffer.length);
    const length = this.#startOf(sequences.length);
    this.ids = new Int32Array(length);
    this.offsets = new Int32Array(2 * length);
    this.wordIds = new Int32Array(length);
    if (frame !== undefined) {
      this.ids.fill(frame.sep);
      this.ids[0] = frame.cls;
      this.wordIds.fill(-1);
    }
    for (const [sequence, { buffer, start, end }] of sequences.entries()) {
      const at = this.#startOf(sequence);
      this.ids.set(buffer.ids.subarray(start, end), at);
      this.offsets.set(buffer.offsets.subarray(2 * start, 2 * end), 2 * at);
      this.wordIds.set(buffer.wordIds.subarray(start, end), at);
    }
  }

  get length(): number {
    return this.ids.length;
  }

  get tokens(): readonly string[] {
    this.#tokens ??= Array.from(this.ids, (id) => this.#vocabulary.tokenOf(id));
    return this.#tokens;
  }

  /** The segment of each token: 1 for the second text and the special token that ends it, else 0. */
  get typeIds(): Int32Array {
    this.#typeIds ??= new Int32Array(this.length).fill(1, this.#startOf(1));
    return this.#typeIds;
  }

  /** 0 for tokens of the first text, 1 for those of the second, -1 for special tokens around them. */
  get sequenceIds(): Int32Array {
    if (this.#sequenceIds === undefined) {
      this.#sequenceIds = new Int32Array(this.length).fill(-1);
      for (const [sequence, length] of this.#lengths.entries()) {
        const start = this.#startOf(sequence);
        this.#sequenceIds.fill(sequence, start, start + length);
      }
    }
    return this.#sequenceIds;
  }

  /** 1 for special tokens around the texts, 0 for all that stands in them. */
  get specialTokensMask(): Int32Array {
    this.#specialTokensMask ??= this.sequenceIds.map((sequence) => (sequence < 0 ? 1 : 0));
    return this.#specialTokensMask;
  }

  /** Where a sequence starts: after one special token, and another one for each sequence before it. */
  #startOf(sequence: number): number {
    let start = this.#framed;
    for (let i = 0; i < sequence; i++) start += this.#lengths[i] + this.#framed;
    return start;
  }
}
