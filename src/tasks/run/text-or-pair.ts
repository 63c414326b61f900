import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";

/** A text, or a pair of texts. */
export interface TextInput {
  readonly text: string;
  readonly pair?: string;
}

/** The same under Hugging Face's names. */
export type TextOrPair = string | { readonly text: string; readonly text_pair?: string };

/** Two texts under Hugging Face's names. */
export interface SentencePair {
  readonly text: string;
  readonly text_pair: string;
}

/** How programs give texts, pairs and either, for `requireCall`. */
export const TEXT_FORMS = {
  text: { input: z.string(), called: "a text" },
  pair: { input: z.strictObject({ text: z.string(), text_pair: z.string() }), called: "{ text, text_pair }" },
  either: {
    input: z.union([z.string(), z.strictObject({ text: z.string(), text_pair: z.string().optional() })]),
    called: "a text or { text, text_pair }",
  },
} as const;

/** A query and the texts that may go with it. */
export interface RerankInput {
  readonly query: string;
  readonly texts: readonly string[];
}

/** Throws TEXT_EMPTY for a text without content, which a model would judge all the same. `what` names it: "a context". */
export function requireText(what: string, text: string): void {
  if (hasText(text)) return;
  throw new ClozeError("TEXT_EMPTY", {
    problem: `${what} is empty`,
    expected: "more than blanks and invisible characters",
    received: JSON.stringify(text),
    cure: "Leave it out.",
  });
}

/** Throws TEXT_EMPTY where one of two texts has no content. */
export function requirePair({ text, text_pair }: SentencePair): void {
  requireText("a text", text);
  requireText("a second text", text_pair);
}

export function toTextInput(item: TextOrPair): TextInput {
  return typeof item === "string" ? { text: item } : { text: item.text, pair: item.text_pair };
}
