import { type Value, vector } from "../graph/executor.ts";

/** One encoded sequence: the ids of a text or of a pair, special tokens included, and the segment of each (0 or 1). */
export interface Sequence {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
}

/** The inputs of BERT (bert/bert.ts) for some sequences: their tokens one after another, without padding. */
export function joinSequences(sequences: readonly Sequence[]): Record<"ids" | "typeIds" | "lengths", Value> {
  const lengths = Int32Array.from(sequences, ({ ids }) => ids.length); // [B]
  const total = lengths.reduce((a, b) => a + b, 0);
  const ids = new Int32Array(total); // [T]
  const typeIds = new Int32Array(total); // [T]
  let offset = 0;
  for (const sequence of sequences) {
    ids.set(sequence.ids, offset);
    typeIds.set(sequence.typeIds, offset);
    offset += sequence.ids.length;
  }
  return { ids: vector(ids), typeIds: vector(typeIds), lengths: vector(lengths) };
}
