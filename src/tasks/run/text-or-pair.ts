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

/** A query and the texts that may go with it. */
export interface RerankInput {
  readonly query: string;
  readonly texts: readonly string[];
}

export function toTextInput(item: TextOrPair): TextInput {
  return typeof item === "string" ? { text: item } : { text: item.text, pair: item.text_pair };
}
