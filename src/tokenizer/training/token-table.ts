import type { Alphabet } from "./alphabet.ts";

/** What marks a token that continues a word. */
export const CONTINUING = "##";

/** The tokens of a vocabulary that grows: a token's id is its index. */
export class TokenTable {
  readonly tokens: string[] = [];
  readonly #ids = new Map<string, number>();

  /** The id of a token, which is added if it is new. */
  add(token: string): number {
    let id = this.#ids.get(token);
    if (id === undefined) {
      id = this.tokens.length;
      this.tokens.push(token);
      this.#ids.set(token, id);
    }
    return id;
  }

  /** The id of the token that two adjoining tokens make: "em" and "##bed" give "embed". */
  addJoined(left: number, right: number): number {
    const end = this.tokens[right];
    return this.add(this.tokens[left] + (end.startsWith(CONTINUING) ? end.slice(CONTINUING.length) : end));
  }
}

/** The tokens that a vocabulary starts with: special tokens, the alphabet, and the alphabet inside of words. */
export function seedTokens(specialTokens: readonly string[], alphabet: Alphabet): TokenTable {
  const table = new TokenTable();
  for (const token of specialTokens) table.add(token);
  for (const character of alphabet.characters) table.add(String.fromCodePoint(character));
  for (const character of alphabet.continuing) table.add(CONTINUING + String.fromCodePoint(character));
  return table;
}
