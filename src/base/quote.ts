const MAX_LENGTH = 60;

/** A piece of a file as messages show it: in quotes, what cannot be printed escaped, and of a long one the beginning. */
export function quote(text: string): string {
  let shown = "";
  for (const character of text) {
    const escaped = JSON.stringify(character).slice(1, -1);
    if (shown.length + escaped.length > MAX_LENGTH) return `"${shown}…"`;
    shown += escaped;
  }
  return `"${shown}"`;
}

/** Names as messages list them: in quotes, and of many the first `most` and how many more there are. */
export function quoteSome(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).map(quote).join(", ");
  return names.length <= most ? shown : `${shown} and ${names.length - most} more`;
}
