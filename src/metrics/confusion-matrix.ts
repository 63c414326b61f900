import { ClozeError } from "../base/errors.ts";

/** `matrix[gold][predicted]`: how many examples of one label were given another. Square, [K, K]. */
export type ConfusionMatrix = readonly (readonly number[])[];

export interface Judged {
  /** The label that each example was given, an index below `labelCount`. */
  predicted: ArrayLike<number>;
  /** The label that each example has, in the same order. */
  gold: ArrayLike<number>;
  /** K, how many labels there are. */
  labelCount: number;
}

/**
 * Counts each pair of gold and predicted label. Every classification metric is a function of these counts.
 *
 * Throws `SHAPE_MISMATCH` where the two lists differ in length, `ID_OUT_OF_RANGE` for a label that is no index below
 * `labelCount`.
 */
export function confusionMatrix({ predicted, gold, labelCount }: Judged): ConfusionMatrix {
  if (predicted.length !== gold.length) {
    throw new ClozeError("SHAPE_MISMATCH", {
      problem: "Predictions and gold labels differ in number",
      expected: `${gold.length} predictions`,
      received: `${predicted.length}`,
      cure: "Give one prediction for each gold label, in the same order.",
    });
  }
  const matrix = Array.from({ length: labelCount }, () => Array.from({ length: labelCount }, () => 0));
  for (let i = 0; i < gold.length; i++) {
    const row = matrix[checked(gold[i], labelCount, "gold", i)];
    row[checked(predicted[i], labelCount, "predicted", i)]!++;
  }
  return matrix;
}

/** More labels make a matrix that nobody reads, and of thousands one that fits into no file. */
const MOST_LABELS = 200;

/** The matrix as a figure, of at most 200 labels. */
export function confusionFigure(matrix: ConfusionMatrix): { readonly confusion?: ConfusionMatrix } {
  return matrix.length > MOST_LABELS ? {} : { confusion: matrix };
}

function checked(label: number, labelCount: number, kind: string, index: number): number {
  if (Number.isInteger(label) && label >= 0 && label < labelCount) return label;
  throw new ClozeError("ID_OUT_OF_RANGE", {
    problem: `The ${kind} label of example ${index} is none of the ${labelCount}`,
    expected: `an integer from 0 to ${labelCount - 1}`,
    received: String(label),
    cure: "Number the labels from 0, and leave out examples that have none.",
  });
}
