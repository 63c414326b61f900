import { CharacterTable } from "../../tokenizer/characters.ts";
import { normalizeText } from "../../tokenizer/normalize.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";

/** The beginning of a text, as one types it, apart into what is written and the word that is being written. */
export interface BegunText {
  /** The ids of the tokens before the word. */
  readonly context: Int32Array;
  /** The word as far as it is typed; empty where the next one has not been begun. */
  readonly typed: string;
  /** The same as the tokenizer normalises it. */
  readonly letters: string;
  /** The pieces that it is cut into, which spell `letters`; none where it has not been begun or cannot be spelt. */
  readonly pieces: readonly WordPiece[];
}

export interface WordPiece {
  readonly id: number;
  /** Without the prefix of a continuing piece. */
  readonly letters: string;
}

/** Letters and digits: what punctuation, ideographs and marks such as [MASK] are not. */
const WORD = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}]*$/u;

/**
 * Splits a text where its last word begins, if it ends within one: behind white space or punctuation nothing is begun.
 */
export function splitBegunText(tokenizer: BertTokenizer, text: string): BegunText {
  const { ids, offsets, wordIds } = tokenizer.encode(text, { addSpecialTokens: false });
  const first = wordIds.indexOf(wordIds[wordIds.length - 1]);
  const typed = first < 0 ? "" : text.slice(offsets[2 * first]);
  const letters = normalizeText(typed, CharacterTable.for(tokenizer.spec.normalizer)).text;
  if (!WORD.test(letters)) return { context: ids, typed: "", letters: "", pieces: [] };
  const pieces = Array.from(ids.subarray(first), (id, i) => ({ id, letters: spelling(tokenizer, id, i > 0) ?? "" }));
  const isSpelt = pieces.map((piece) => piece.letters).join("") === letters;
  return { context: ids.slice(0, first), typed, letters, pieces: isSpelt ? pieces : [] };
}

/** The letters of a token that begins a word, or of one that continues a word; undefined where it does not. */
export function spelling({ vocabulary, spec }: BertTokenizer, id: number, continuing: boolean): string | undefined {
  const token = vocabulary.tokenOf(id);
  const letters =
    continuing && token.startsWith(spec.continuingPrefix) ? token.slice(spec.continuingPrefix.length) : token;
  if (continuing && letters === token) return undefined;
  return WORD.test(letters) ? letters : undefined;
}
