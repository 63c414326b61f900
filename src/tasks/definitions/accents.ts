/**
 * Where the accents end that follow `end` in a text, as far as `limit`: characters of their own that belong to the letter
 * before them, and that the tokenizer leaves out. The limit is where the next token begins.
 */
export function endOfAccents(text: string, end: number, limit = text.length): number {
  const accents = /\p{Mn}*/uy;
  accents.lastIndex = end;
  accents.test(text);
  return Math.max(end, Math.min(accents.lastIndex, limit));
}
