import { ClozeError } from "../base/errors.ts";

/** The tokens that a model knows, numbered from 0 without holes. */
export class Vocabulary {
  /** The tokens in the order of their ids. */
  readonly tokens: readonly string[];
  readonly #ids = new Map<string, number>();

  /**
   * @param tokens in the order of their ids
   * @throws ClozeError VOCABULARY_MALFORMED for an empty list, an empty token or one that occurs twice
   */
  constructor(tokens: readonly string[]) {
    if (tokens.length === 0) throw malformedVocabulary("it is empty", "at least the special tokens");
    for (const [id, token] of tokens.entries()) {
      if (token === "") throw malformedVocabulary(`the token with id ${id} is empty`, "a character or more");
      const earlier = this.#ids.get(token);
      if (earlier !== undefined)
        throw malformedVocabulary(`"${token}" has the ids ${earlier} and ${id}`, "one id for each token");
      this.#ids.set(token, id);
    }
    this.tokens = [...tokens];
  }

  get size(): number {
    return this.tokens.length;
  }

  /** The id of a token, or undefined where the vocabulary lacks it. */
  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The token with this id. Throws ID_OUT_OF_RANGE where there is none. */
  tokenOf(id: number): string {
    const token = this.tokens[id];
    if (token !== undefined) return token;
    throw new ClozeError("ID_OUT_OF_RANGE", {
      problem: "no token has this id",
      expected: `an integer from 0 to ${this.size - 1}`,
      received: String(id),
      cure: "Decode with the vocabulary that the ids were made with.",
    });
  }
}

/**
 * Reads vocab.txt: a token a line, whose number, counted from 0, is the token's id. LF or CRLF; the last line may lack it.
 * The `Vocabulary` made of the result checks it.
 */
export function parseVocabularyText(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/**
 * Writes vocab.txt.
 *
 * @throws ClozeError VOCABULARY_MALFORMED where a token holds a line break, which the file cannot express
 */
export function formatVocabularyText(tokens: readonly string[]): string {
  for (const [id, token] of tokens.entries()) {
    if (/[\r\n]/.test(token)) throw malformedVocabulary(`the token with id ${id} holds a line break`, "no line breaks");
  }
  return tokens.map((token) => `${token}\n`).join("");
}

export function malformedVocabulary(problem: string, expected: string): ClozeError {
  return new ClozeError("VOCABULARY_MALFORMED", {
    problem: `The vocabulary is malformed: ${problem}`,
    expected,
    cure: "Take the vocabulary from where the model came from, or train it anew.",
  });
}
