import { ALONE, CharacterTable, LETTER, type NormalizerOptions, SPACE } from "./characters.ts";
import { visitInCanonicalOrder } from "./normalize.ts";

/**
 * Calls `visit` with every normalised word of a text, in order: what BertNormalizer and BertPreTokenizer make of it,
 * so a punctuation mark or an ideograph is a word of its own and words hold no white space.
 */
export function forEachWord(text: string, options: NormalizerOptions, visit: (word: string) => void): void {
  const table = CharacterTable.for(options);
  const reader = new WordReader(table);
  const { units } = table;
  let at = 0;
  while (at < text.length) {
    let end = at;
    let stop = SPACE;
    for (; end < text.length; end++) {
      const unit = text.charCodeAt(end);
      stop = units[unit];
      if (stop < LETTER || stop !== unit) break;
    }
    if (end === text.length) stop = SPACE;
    if (end > at && (stop === SPACE || stop === ALONE)) {
      visit(text.slice(at, end)); // as it stands in the text
      at = end;
    } else if (stop === SPACE) {
      at++;
    } else {
      at = reader.read(text, at, text.length);
      if (reader.length > 0) visit(reader.word());
    }
  }
}

/** Reads one word after another and keeps the last one normalised, with the place of each of its units in the text. */
export class WordReader {
  /** UTF-16 units of the normalised word; only the first `length` entries count, here and in the next two. */
  units: Uint16Array = new Uint16Array(32);
  /** Where in the text the character begins that a unit comes from, and where it ends. */
  starts: Int32Array = new Int32Array(32);
  ends: Int32Array = new Int32Array(32);
  length = 0;
  readonly #table: CharacterTable;

  constructor(table: CharacterTable) {
    this.#table = table;
  }

  /** Reads the next word of `text` in [at, limit) and returns where to go on; `length` is 0 if there is no word. */
  read(text: string, at: number, limit: number): number {
    const { units } = this.#table;
    this.length = 0;
    let from = at;
    let movable = false;
    while (at < limit) {
      const unit = text.charCodeAt(at);
      if (units[unit] >= LETTER) {
        this.#push(units[unit], at, at + 1);
        at++;
        continue;
      }
      const isPair = (unit & 0xfc00) === 0xd800 && at + 1 < limit && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
      const character = this.#table.of(isPair ? text.codePointAt(at)! : unit);
      const { role } = character;
      const isAlone = role === "punctuation" || role === "ideograph";
      if (this.length > 0 && (isAlone || role === "space")) break;
      const start = at;
      at += isPair ? 2 : 1;
      if (role === "space") from = at;
      else this.#pushAll(character.text, start, at);
      if (isAlone) break;
      movable ||= character.movable;
    }
    if (movable) this.#reorder(text, from, at);
    return at;
  }

  /** The word as a string. */
  word(): string {
    let word = "";
    for (let i = 0; i < this.length; i++) word += String.fromCharCode(this.units[i]);
    return word;
  }

  #reorder(text: string, from: number, to: number): void {
    this.length = 0;
    visitInCanonicalOrder(text.slice(from, to), this.#table, (character, start, end) =>
      this.#pushAll(character, from + start, from + end),
    );
  }

  #pushAll(text: string, start: number, end: number): void {
    for (let i = 0; i < text.length; i++) this.#push(text.charCodeAt(i), start, end);
  }

  #push(unit: number, start: number, end: number): void {
    if (this.length === this.units.length) this.#grow();
    this.units[this.length] = unit;
    this.starts[this.length] = start;
    this.ends[this.length++] = end;
  }

  #grow(): void {
    const { units, starts, ends } = this;
    const capacity = 2 * units.length;
    this.units = new Uint16Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.units.set(units);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}
