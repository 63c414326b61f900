import type { Tensor } from "../../graph/operations.ts";
import { at, type Matrix, matrix, sum, vector } from "./matrix.ts";
import type { Rules, Run } from "./rules.ts";

export const LAYER_NORM_RULES: Pick<Rules, "layerNorm" | "layerNormGradient"> = {
  layerNorm: ({ inputs, attributes }, run) => {
    const weight = run.floats(inputs.weight); // [C]
    const bias = run.floats(inputs.bias); // [C]
    const { normed } = standardise(inputs.x, attributes.epsilon, run); // [R, C]
    return [matrix(normed.rows, normed.columns, (r, c) => at(normed, r, c) * weight[c] + bias[c]).data];
  },

  layerNormGradient: ({ inputs, attributes }, run) => {
    const dy = run.matrix(inputs.dy); // [R, C]
    const weight = run.floats(inputs.weight); // [C]
    const { normed, scales } = standardise(inputs.x, attributes.epsilon, run); // [R, C], [R]
    const { rows: R, columns: C } = normed;

    // What reaches the normalised row, less its parts along (1, 1, …) and along the row itself, which cannot change.
    const dnormed = matrix(R, C, (r, c) => at(dy, r, c) * weight[c]);
    const means = vector(R, (r) => sum(C, (c) => at(dnormed, r, c)) / C); // [R]
    const overlaps = vector(R, (r) => sum(C, (c) => at(dnormed, r, c) * at(normed, r, c)) / C); // [R]
    const dx = matrix(R, C, (r, c) => scales[r] * (at(dnormed, r, c) - means[r] - at(normed, r, c) * overlaps[r]));

    const dweight = vector(C, (c) => sum(R, (r) => at(dy, r, c) * at(normed, r, c))); // [C]
    const dbias = vector(C, (c) => sum(R, (r) => at(dy, r, c))); // [C]
    return [dx.data, dweight, dbias];
  },
};

/** Each row less its mean, times its scale 1 / √(variance + ε): [R, C] and [R]. */
function standardise(tensor: Tensor, epsilon: number, run: Run): { normed: Matrix; scales: Float64Array } {
  const x = run.matrix(tensor); // [R, C]
  const { rows: R, columns: C } = x;
  const means = vector(R, (r) => sum(C, (c) => at(x, r, c)) / C); // [R]
  const variances = vector(R, (r) => sum(C, (c) => (at(x, r, c) - means[r]) ** 2) / C); // [R]
  const scales = variances.map((variance) => 1 / Math.sqrt(variance + epsilon)); // [R]
  return { normed: matrix(R, C, (r, c) => (at(x, r, c) - means[r]) * scales[r]), scales };
}
