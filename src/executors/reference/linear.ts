import { at, matrix, product, sum, transpose, vector } from "./matrix.ts";
import type { Rules } from "./rules.ts";

/** Operations that are linear in each of their inputs. */
export const LINEAR_RULES: Pick<Rules, "gather" | "scatterAdd" | "add" | "linear" | "matmul" | "sumRows"> = {
  gather: ({ inputs }, run) => {
    const source = run.matrix(inputs.source); // [R, C]
    const indices = run.integers(inputs.indices); // [I]
    return [matrix(indices.length, source.columns, (i, c) => at(source, indices[i], c)).data]; // [I, C]
  },

  scatterAdd: ({ inputs }, run) => {
    const indices = run.integers(inputs.indices); // [I]
    const updates = run.matrix(inputs.updates); // [I, C]
    const like = run.matrix(inputs.like); // [R, C]
    const sums = new Float64Array(like.rows * like.columns); // [R, C]
    indices.forEach((row, i) => {
      for (let c = 0; c < like.columns; c++) sums[row * like.columns + c] += at(updates, i, c);
    });
    return [sums];
  },

  add: ({ inputs }, run) => {
    const b = run.floats(inputs.b);
    return [run.floats(inputs.a).map((a, i) => a + b[i])];
  },

  linear: ({ inputs }, run) => {
    const y = product(run.matrix(inputs.x), transpose(run.matrix(inputs.weight))); // [R, O]
    const bias = run.floats(inputs.bias); // [O]
    return [matrix(y.rows, y.columns, (r, o) => at(y, r, o) + bias[o]).data];
  },

  matmul: ({ inputs, attributes: { transposeA, transposeB } }, run) => {
    const a = run.matrix(inputs.a);
    const b = run.matrix(inputs.b);
    return [product(transposeA ? transpose(a) : a, transposeB ? transpose(b) : b).data]; // [R, C]
  },

  sumRows: ({ inputs }, run) => {
    const x = run.matrix(inputs.x); // [R, C]
    return [vector(x.columns, (c) => sum(x.rows, (r) => at(x, r, c)))]; // [C]
  },
};
