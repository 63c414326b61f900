import type { TextInput } from "./text-classification.ts";

/** A text, or a pair of them under Hugging Face's names. */
export type TextOrPair = string | { readonly text: string; readonly text_pair?: string };

export function toTextInput(item: TextOrPair): TextInput {
  return typeof item === "string" ? { text: item } : { text: item.text, pair: item.text_pair };
}
