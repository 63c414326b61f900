/**
 * Tokenised documents, as pre-training reads them: the ids of all sentences one after another, without special tokens.
 * Sentence s is `ids[sentences[s]]` up to `ids[sentences[s + 1]]`; document d has the sentences `documents[d]` up to
 * `documents[d + 1]`. No sentence and no document is empty.
 */
export interface Documents {
  readonly ids: Uint16Array | Uint32Array;
  /** Where each sentence begins in `ids`, and at last where the last one ends. */
  readonly sentences: Uint32Array;
  /** The first sentence of each document, and at last the number of sentences. */
  readonly documents: Uint32Array;
}

export function countDocuments({ documents }: Documents): number {
  return documents.length - 1;
}

export function countSentences({ sentences }: Documents): number {
  return sentences.length - 1;
}
