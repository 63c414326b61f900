/**
 * What a text holds as JSON (RFC 8259). Where it is none, `otherwise` is asked: for another value, or to throw an error that
 * says what is wrong.
 */
export function parseJson(text: string, otherwise: (fault: string, cause: unknown) => unknown): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return otherwise(cause instanceof Error ? cause.message : "no JSON", cause);
  }
}
