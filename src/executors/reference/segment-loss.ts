import type { NodeOf } from "../../graph/operations.ts";
import { at, logSoftmaxRows, type Matrix, matrix, softmaxRows, sum } from "./matrix.ts";
import type { Rules, Run } from "./rules.ts";
import { firstTokens } from "./sources.ts";

/** One group of rows after another, with its columns as rows: S is the group's own length. */
export const SEGMENT_LOSS_RULES: Pick<Rules, "segmentCrossEntropy" | "segmentCrossEntropyGradient"> = {
  segmentCrossEntropy: ({ inputs }, run) => {
    let loss = 0;
    for (const { logits, labels, weight } of groupsOf(inputs, run)) {
      const logarithms = logSoftmaxRows(logits); // [C, S]
      loss -= weight * sum(labels.length, (c) => at(logarithms, c, labels[c]));
    }
    return [Float64Array.of(loss)]; // []
  },

  segmentCrossEntropyGradient: ({ inputs }, run) => {
    const [dy] = run.floats(inputs.dy); // []
    const { rows: R, columns: C } = run.matrix(inputs.logits);
    const dlogits = matrix(R, C, () => 0);
    for (const { start, logits, labels, weight } of groupsOf(inputs, run)) {
      const p = softmaxRows(logits); // [C, S]
      for (let c = 0; c < C; c++) {
        for (let s = 0; s < p.columns; s++) {
          dlogits.data[(start + s) * C + c] = dy * weight * (at(p, c, s) - (s === labels[c] ? 1 : 0));
        }
      }
    }
    return [dlogits.data];
  },
};

interface Group {
  /** Its first row. */
  readonly start: number;
  /** Its rows, transposed: [C, S]. */
  readonly logits: Matrix;
  /** The right row of each column, counted in the group: [C]. */
  readonly labels: Int32Array;
  readonly weight: number;
}

function* groupsOf(inputs: NodeOf<"segmentCrossEntropy">["inputs"], run: Run): Generator<Group> {
  const logits = run.matrix(inputs.logits); // [R, C]
  const lengths = run.integers(inputs.lengths); // [G]
  const labels = run.integers(inputs.labels); // [G, C]
  const weights = run.floats(inputs.weights); // [G]
  const starts = firstTokens(lengths); // [G]
  const { columns: C } = logits;
  for (const [g, length] of lengths.entries()) {
    yield {
      start: starts[g],
      logits: matrix(C, length, (c, s) => at(logits, starts[g] + s, c)),
      labels: labels.subarray(g * C, (g + 1) * C),
      weight: weights[g],
    };
  }
}
