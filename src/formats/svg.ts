/** A place in a picture, to a tenth of a pixel. */
export function round(place: number): number {
  return Math.round(place * 10) / 10;
}

/** Text as content of an element, without the characters that XML does not have even escaped. */
export function escapeXml(content: string): string {
  const marks: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const absent = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu;
  return content.replace(absent, "\ufffd").replace(/[&<>]/g, (mark) => marks[mark]);
}
