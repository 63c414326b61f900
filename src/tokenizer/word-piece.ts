import { ALONE, type CharacterTable, LETTER, SPACE } from "./characters.ts";
import { WordReader } from "./pre-tokenize.ts";
import type { TokenBuffer } from "./token-buffer.ts";
import { ROOT, Trie } from "./trie.ts";

export interface WordPieceOptions {
  /** What a piece begins with that does not begin its word: "##". */
  readonly continuingPrefix: string;
  /** Words of more characters (code points) become the unknown token. */
  readonly maxWordLength: number;
  readonly unknownId: number;
}

/** WordPiece (Wu et al. 2016; Devlin et al. 2019): each word is cut into the longest pieces that the vocabulary has. */
export class WordPiece {
  readonly #table: CharacterTable;
  readonly #reader: WordReader;
  readonly #beginnings: Trie;
  readonly #continuations: Trie;
  readonly #unknownId: number;
  readonly #maxWordLength: number;

  /** `tokens` in the order of their ids. */
  constructor(tokens: readonly string[], table: CharacterTable, options: WordPieceOptions) {
    const { continuingPrefix, maxWordLength, unknownId } = options;
    const beginnings: [string, number][] = [];
    const continuations: [string, number][] = [];
    for (const [id, token] of tokens.entries()) {
      if (token.length <= maxWordLength || [...token].length <= maxWordLength) beginnings.push([token, id]);
      if (token.startsWith(continuingPrefix)) continuations.push([token.slice(continuingPrefix.length), id]);
    }
    this.#table = table;
    this.#reader = new WordReader(table);
    this.#beginnings = new Trie(beginnings);
    this.#continuations = new Trie(continuations);
    this.#unknownId = unknownId;
    this.#maxWordLength = maxWordLength;
  }

  /**
   * Appends the tokens of `text` in [at, limit) to `out`, normalising on the way. Nearly every word of a text is made
   * of plain letters and whole in the vocabulary, so the loop walks the trie on the text itself; `#appendWord` does the rest.
   */
  append(text: string, at: number, limit: number, out: TokenBuffer): void {
    const { units } = this.#table;
    const { base, check, value } = this.#beginnings;
    while (at < limit) {
      const start = at;
      let state = ROOT;
      let unit = SPACE;
      for (; at < limit; at++) {
        unit = units[text.charCodeAt(at)];
        const next = base[state] + unit;
        if (unit < LETTER || check[next] !== state) break;
        state = next;
      }
      if (at === limit) unit = SPACE;
      const isKnown = at === start || value[state] >= 0;
      if (!isKnown || (unit !== SPACE && unit !== ALONE)) {
        at = this.#appendWord(text, start, limit, out);
        continue;
      }
      if (at > start) out.push(value[state], start, at, out.nextWord++);
      if (unit === ALONE) {
        const next = base[ROOT] + text.charCodeAt(at);
        const id = check[next] === ROOT ? value[next] : -1;
        out.push(id < 0 ? this.#unknownId : id, at, at + 1, out.nextWord++);
      }
      at++; // beyond the blank or the mark
    }
  }

  /** Appends the pieces of the one word that begins at `at`, if any does, and returns where to go on. */
  #appendWord(text: string, at: number, limit: number, out: TokenBuffer): number {
    const reader = this.#reader;
    at = reader.read(text, at, limit);
    if (reader.length === 0) return at;
    const word = out.nextWord++;
    const before = out.length;
    const isShort = reader.length <= this.#maxWordLength || countCharacters(reader) <= this.#maxWordLength;
    if (!isShort || !this.#cut(reader, word, out)) {
      out.length = before;
      out.push(this.#unknownId, reader.starts[0], reader.ends[reader.length - 1], word);
    }
    return at;
  }

  /** Appends the longest piece that the word begins with, then the longest that goes on from there; false if none does. */
  #cut({ units, starts, ends, length }: WordReader, word: number, out: TokenBuffer): boolean {
    let { base, check, value } = this.#beginnings;
    for (let begin = 0; begin < length; ) {
      let id = -1;
      let end = begin;
      for (let i = begin, state = ROOT; i < length; i++) {
        const next = base[state] + units[i];
        if (check[next] !== state) break;
        state = next;
        if (value[state] < 0) continue;
        id = value[state];
        end = i + 1;
      }
      if (id < 0) return false;
      out.push(id, starts[begin], ends[end - 1], word);
      begin = end;
      ({ base, check, value } = this.#continuations);
    }
    return true;
  }
}

function countCharacters({ units, length }: WordReader): number {
  let count = 0;
  for (let i = 0; i < length; i++) if ((units[i] & 0xfc00) !== 0xdc00) count++; // a pair counts once
  return count;
}
