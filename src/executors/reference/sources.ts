import type { Rules } from "./rules.ts";

/** Where numbers come from: they are given, or follow from the lengths of the sequences. */
export const SOURCE_RULES: Pick<Rules, "input" | "parameter" | "constant" | "positions" | "starts"> = {
  input: ({ attributes }, run) => [run.input(attributes.name)],

  parameter: ({ attributes }, run) => [run.parameter(attributes.name)],

  constant: ({ attributes }) => [Float64Array.of(attributes.value)],

  positions: ({ inputs }, run) => {
    const lengths = Array.from(run.integers(inputs.lengths)); // [B]
    return [Int32Array.from(lengths.flatMap((length) => Array.from({ length }, (_, position) => position)))]; // [T]
  },

  starts: ({ inputs }, run) => [firstTokens(run.integers(inputs.lengths))], // [B]
};

/** Index of each sequence's first token among all tokens: [B] -> [B]. */
export function firstTokens(lengths: Int32Array): Int32Array {
  let next = 0;
  return lengths.map((length) => {
    const first = next;
    next += length;
    return first;
  });
}
