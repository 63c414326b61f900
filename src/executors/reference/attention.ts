import type { NodeOf } from "../../graph/operations.ts";
import { at, type Matrix, matrix, product, softmaxRows, sum, transpose, vector } from "./matrix.ts";
import type { Rules, Run } from "./rules.ts";
import { firstTokens } from "./sources.ts";

/** Scaled dot-product attention (Vaswani et al. 2017, section 3.2), one head of one sequence after another: S is its own length. */
export const ATTENTION_RULES: Pick<Rules, "attention" | "attentionGradient"> = {
  attention: (node, run) => {
    const query = run.matrix(node.inputs.query); // [T, D]
    const key = run.matrix(node.inputs.key); // [T, D]
    const value = run.matrix(node.inputs.value); // [T, D]
    const context = zerosLike(query); // [T, D]
    for (const head of headsOf(node, run)) {
      const { kept } = probabilities(cut(query, head), cut(key, head), head); // [S, S]
      paste(product(kept, cut(value, head)), context, head);
    }
    return [context.data];
  },

  attentionGradient: ({ inputs, attributes: { forward } }, run) => {
    const dy = run.matrix(inputs.dy); // [T, D]
    const query = run.matrix(inputs.query); // [T, D]
    const key = run.matrix(inputs.key); // [T, D]
    const value = run.matrix(inputs.value); // [T, D]
    const dquery = zerosLike(query); // [T, D]
    const dkey = zerosLike(key); // [T, D]
    const dvalue = zerosLike(value); // [T, D]
    for (const head of headsOf(forward, run)) {
      const [q, k, v, dcontext] = [query, key, value, dy].map((whole) => cut(whole, head)); // [S, H] each
      const { all, kept } = probabilities(q, k, head); // [S, S]
      const dkept = product(dcontext, transpose(v)); // [S, S]
      const dall = matrix(head.length, head.length, (i, j) => at(dkept, i, j) * head.mask(i, j));
      const dscores = softmaxRowsGradient(dall, all); // [S, S]
      const dproducts = matrix(head.length, head.length, (i, j) => at(dscores, i, j) / Math.sqrt(head.size));
      paste(product(dproducts, k), dquery, head);
      paste(product(transpose(dproducts), q), dkey, head);
      paste(product(transpose(kept), dcontext), dvalue, head);
    }
    return [dquery.data, dkey.data, dvalue.data];
  },
};

/** One head of one sequence: a block of [T, D]. */
interface Head {
  /** Its first row and number of rows: the tokens of the sequence. */
  readonly start: number;
  readonly length: number;
  /** Its first column and number of columns. */
  readonly column: number;
  readonly size: number;
  /** The factor on the probability with which token i attends to token j. */
  mask(i: number, j: number): number;
}

function* headsOf(node: NodeOf<"attention">, run: Run): Generator<Head> {
  const { heads: N, dropout } = node.attributes;
  const { columns: D } = run.matrix(node.inputs.query);
  const lengths = run.integers(node.inputs.lengths); // [B]
  const starts = firstTokens(lengths); // [B]
  const S = Math.max(...lengths);
  const masks = dropout > 0 ? run.dropoutMask(node, dropout, lengths.length * N * S * S) : undefined; // [B, N, S, S]
  for (const [b, length] of lengths.entries()) {
    for (let n = 0; n < N; n++) {
      const mask = (i: number, j: number) => (masks ? masks[((b * N + n) * S + i) * S + j] : 1);
      yield { start: starts[b], length, column: (n * D) / N, size: D / N, mask };
    }
  }
}

/** How much each token attends to each, and what dropout keeps of it: [S, S] for q and k [S, H]. */
function probabilities(q: Matrix, k: Matrix, { size, mask }: Head): { all: Matrix; kept: Matrix } {
  const products = product(q, transpose(k)); // [S, S]
  const scores = matrix(q.rows, k.rows, (i, j) => at(products, i, j) / Math.sqrt(size));
  const all = softmaxRows(scores);
  return { all, kept: matrix(q.rows, k.rows, (i, j) => at(all, i, j) * mask(i, j)) };
}

/** p (dp - Σⱼ p dp) in each row. */
function softmaxRowsGradient(dp: Matrix, p: Matrix): Matrix {
  const overlaps = vector(p.rows, (i) => sum(p.columns, (j) => at(p, i, j) * at(dp, i, j)));
  return matrix(p.rows, p.columns, (i, j) => at(p, i, j) * (at(dp, i, j) - overlaps[i]));
}

function zerosLike({ rows, columns }: Matrix): Matrix {
  return matrix(rows, columns, () => 0);
}

/** The head's block of a whole matrix. */
function cut(whole: Matrix, { start, length, column, size }: Head): Matrix {
  return matrix(length, size, (i, h) => at(whole, start + i, column + h)); // [S, H]
}

/** Writes a block where `cut` would have read it. */
function paste(block: Matrix, whole: Matrix, { start, column }: Head): void {
  for (let i = 0; i < block.rows; i++) {
    for (let h = 0; h < block.columns; h++) whole.data[(start + i) * whole.columns + column + h] = at(block, i, h);
  }
}
