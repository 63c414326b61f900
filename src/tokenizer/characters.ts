import { ACCENTS, IDEOGRAPHS, KEPT_MARKS, NEWER_MARKS, PUNCTUATION, REMOVED, WHITE_SPACE } from "./unicode-tables.ts";

/** How BERT rewrites text before it is split; the fields of `BertNormalizer` in tokenizer.json. */
export interface NormalizerOptions {
  /** Lower-case every character. Default true (the uncased models). */
  readonly lowercase?: boolean;
  /** Decompose characters and drop their accents; null, the default, means "as `lowercase`". */
  readonly stripAccents?: boolean | null;
  /** Set CJK ideographs apart, so that each is a word of its own. Default true. */
  readonly handleChineseChars?: boolean;
  /** Drop control characters. Default true. */
  readonly cleanText?: boolean;
}

/** What one character of a text becomes. */
export interface Character {
  /** Nothing at all, the end of a word, a word of its own (the next two), or part of a word. */
  readonly role: "nothing" | "space" | "punctuation" | "ideograph" | "letter";
  /** The normalised character or characters. */
  readonly text: string;
  /** Canonical ordering may move it before the marks that precede it: see normalize.ts. */
  readonly movable: boolean;
}

/** Entries of `CharacterTable.units` below `LETTER` are not letters. */
export const SPACE = 1;
export const ALONE = 2;
export const IRREGULAR = 3;
export const LETTER = 4;

const REPLACEMENT_CHARACTER = 0xfffd;

/** Characters whose outcome is kept: more than the texts of any language hold, and no burden. */
const MOST_KEPT = 0x8000;

/**
 * BERT's normaliser, one character at a time (Devlin et al. 2019, as the Rust `BertNormalizer` does it): every step
 * but canonical ordering looks at single characters, so what a character becomes is looked up, not computed.
 */
export class CharacterTable {
  /**
   * For each UTF-16 unit: the unit it becomes if it is a letter that becomes one unit, `ALONE` if it is a word of its own
   * and stays as it is, `SPACE`, or else `IRREGULAR`; 0 where `of` has not been asked yet (beyond ASCII).
   */
  readonly units: Uint16Array = new Uint16Array(0x10000);
  readonly cleanText: boolean;
  readonly lowercase: boolean;
  readonly #stripAccents: boolean;
  readonly #handleChineseChars: boolean;
  readonly #characters = new Map<number, Character>();

  static readonly #tables: CharacterTable[] = [];

  /** The table for these options; made once. */
  static for(options: NormalizerOptions): CharacterTable {
    const { lowercase = true, handleChineseChars = true, cleanText = true } = options;
    const stripAccents = options.stripAccents ?? lowercase;
    const flags = [cleanText, handleChineseChars, stripAccents, lowercase];
    const key = flags.reduce((bits, flag) => 2 * bits + Number(flag), 0);
    CharacterTable.#tables[key] ??= new CharacterTable(cleanText, handleChineseChars, stripAccents, lowercase);
    return CharacterTable.#tables[key];
  }

  private constructor(cleanText: boolean, handleChineseChars: boolean, stripAccents: boolean, lowercase: boolean) {
    this.cleanText = cleanText;
    this.lowercase = lowercase;
    this.#handleChineseChars = handleChineseChars;
    this.#stripAccents = stripAccents;
    for (let unit = 0; unit < 128; unit++) this.of(unit);
  }

  /** What a code point becomes; a lone surrogate counts as U+FFFD, as it does once a text has been UTF-8. */
  of(codePoint: number): Character {
    let character = this.#characters.get(codePoint);
    if (character === undefined) {
      const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
      character = this.#normalize(isSurrogate ? REPLACEMENT_CHARACTER : codePoint);
      if (this.#characters.size < MOST_KEPT) this.#characters.set(codePoint, character);
      if (codePoint <= 0xffff) this.units[codePoint] = isSurrogate ? IRREGULAR : unitOf(codePoint, character);
    }
    return character;
  }

  #normalize(codePoint: number): Character {
    if (this.cleanText && REMOVED.has(codePoint)) return { role: "nothing", text: "", movable: false };
    const character = String.fromCodePoint(codePoint);
    const parts = this.#stripAccents ? decompose(character).filter((part) => !isAccent(part)) : [character];
    let text = parts.join("");
    if (this.lowercase) text = text.toLowerCase();
    if (this.#handleChineseChars && IDEOGRAPHS.has(codePoint)) return { role: "ideograph", text, movable: false };
    const role = roleOf(text);
    if (role === "space" && this.cleanText) text = " ";
    return { role, text, movable: this.#stripAccents && KEPT_MARKS.has(codePoint) };
  }
}

/** The canonical decomposition of a character into characters, in canonical order. */
export function decompose(character: string): string[] {
  return NEWER_MARKS.has(character.codePointAt(0)!) ? [character] : [...character.normalize("NFD")];
}

export function isAccent(character: string): boolean {
  return ACCENTS.has(character.codePointAt(0)!);
}

/** No character becomes a mark of punctuation and something else, so the first one tells. */
function roleOf(text: string): Character["role"] {
  const first = text.codePointAt(0);
  if (first === undefined) return "nothing";
  if (WHITE_SPACE.has(first)) return "space";
  return PUNCTUATION.has(first) ? "punctuation" : "letter";
}

function unitOf(unit: number, { role, text, movable }: Character): number {
  if (role === "space") return SPACE;
  const becomes = text.charCodeAt(0);
  if ((role === "punctuation" || role === "ideograph") && becomes === unit) return ALONE;
  return role === "letter" && text.length === 1 && becomes >= LETTER && !movable ? becomes : IRREGULAR;
}
