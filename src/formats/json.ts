/**
 * What a text holds as JSON (RFC 8259). Where it is none, `otherwise` is asked: for another value, or to throw an error that
 * says what is wrong: {@link ENDS_EARLY} where the text is cut short.
 */
export function parseJson(text: string, otherwise: (fault: string, cause: unknown) => unknown): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return otherwise(cause instanceof Error ? faultOf(cause, text) : "no JSON", cause);
  }
}

export const ENDS_EARLY = "JSON that ends too early";

/** The engine's words, which tell of the end as such or by its position; others than V8's stay as they are. */
function faultOf({ message }: Error, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  const atEnd = position === undefined ? /end of JSON input/.test(message) : Number(position) >= text.trimEnd().length;
  return atEnd && text.trim() !== "" ? ENDS_EARLY : message;
}

/** A value as the content of a file that people read too. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
