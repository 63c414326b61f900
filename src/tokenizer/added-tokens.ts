import type { CharacterTable } from "./characters.ts";
import { normalizeText } from "./normalize.ts";
import type { AddedToken } from "./spec.ts";
import type { TokenBuffer } from "./token-buffer.ts";

/** Appends the tokens of the UTF-16 units [start, end) of a text to `out`. */
export interface SpanTokenizer {
  append(text: string, start: number, end: number, out: TokenBuffer): void;
}

export interface NumberedToken extends AddedToken {
  readonly id: number;
}

/** Puts the search for added tokens before a tokenizer: first those sought in the text as it is, then the normalised. */
export function withAddedTokens(
  tokens: readonly NumberedToken[],
  table: CharacterTable,
  tokenizer: SpanTokenizer,
): AddedTokens {
  const plain = tokens.filter(({ normalized }) => !normalized);
  const normalized = tokens
    .filter((token) => token.normalized)
    .map((token) => ({ ...token, content: normalizeText(token.content, table).text }));
  if (normalized.length === 0) return new AddedTokens(plain, tokenizer);
  return new AddedTokens(plain, new NormalizedSpans(new AddedTokens(normalized, tokenizer), table));
}

/** Finds added tokens, the leftmost first and of several the longest, and leaves what is between to another tokenizer. */
export class AddedTokens {
  readonly #tokens = new Map<string, NumberedToken>();
  readonly #pattern: RegExp;
  readonly #between: SpanTokenizer;

  constructor(tokens: readonly NumberedToken[], between: SpanTokenizer) {
    for (const token of tokens) {
      if (token.content !== "" && !this.#tokens.has(token.content)) this.#tokens.set(token.content, token);
    }
    const longestFirst = [...this.#tokens.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(longestFirst.map(escapeForRegExp).join("|") || "(?!)", "g");
    this.#between = between;
  }

  /** Appends the tokens of a text to `out`. */
  append(text: string, out: TokenBuffer): void {
    const pattern = this.#pattern;
    let done = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const { 0: content, index } = match;
      const { id, singleWord, stripLeft, stripRight } = this.#tokens.get(content)!;
      let start = index;
      let end = index + content.length;
      if (singleWord && (endsInWord(text.slice(0, start)) || startsInWord(text.slice(end)))) continue;
      if (stripLeft) while (start > done && isWhiteSpace(text[start - 1])) start--;
      if (stripRight) while (end < text.length && isWhiteSpace(text[end])) end++;
      if (done < start) this.#between.append(text, done, start, out);
      out.push(id, start, end, out.nextWord++);
      done = end;
    }
    if (done < text.length) this.#between.append(text, done, text.length, out);
  }
}

/** Normalises spans, has their added tokens found, and puts the offsets back into terms of the text. */
class NormalizedSpans implements SpanTokenizer {
  readonly #addedTokens: AddedTokens;
  readonly #table: CharacterTable;

  constructor(addedTokens: AddedTokens, table: CharacterTable) {
    this.#addedTokens = addedTokens;
    this.#table = table;
  }

  append(text: string, start: number, end: number, out: TokenBuffer): void {
    const normalized = normalizeText(text.slice(start, end), this.#table);
    const firstRow = out.length;
    this.#addedTokens.append(normalized.text, out); // normalising once more changes nothing
    const { offsets } = out;
    for (let i = 2 * firstRow; i < 2 * out.length; i += 2) {
      offsets[i] = start + normalized.starts[offsets[i]];
      offsets[i + 1] = start + normalized.ends[offsets[i + 1] - 1];
    }
  }
}

/** Whether a word reaches up to the end of a text: what `\w` is in Rust's regular expressions (Unicode TR 18). */
function endsInWord(text: string): boolean {
  return /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u.test(text.slice(-2));
}

function startsInWord(text: string): boolean {
  return /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(text.slice(0, 2));
}

function isWhiteSpace(unit: string): boolean {
  return /\p{White_Space}/u.test(unit);
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
