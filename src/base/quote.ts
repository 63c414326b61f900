const MAX_LENGTH = 60;

/** A piece of a file as messages show it: in quotes, what cannot be printed escaped, and of a long one the beginning. */
export function quote(text: string): string {
  let shown = "";
  for (const character of text) {
    const escaped = UNSEEN.test(character) ? unicodeEscape(character) : JSON.stringify(character).slice(1, -1);
    if (shown.length + escaped.length > MAX_LENGTH) return `"${shown}…"`;
    shown += escaped;
  }
  return `"${shown}"`;
}

/** What JSON leaves as it is and terminals act upon: the second half of the control characters, and marks of direction. */
const UNSEEN = /[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Names as messages list them: in quotes, and of many the first `most` and how many more there are. */
export function quoteSome(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).map(quote).join(", ");
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}
