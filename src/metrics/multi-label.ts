import { ClozeError } from "../base/errors.ts";
import { accuracy, type LabelScores, labelScores } from "./classification.ts";
import { type ConfusionMatrix, confusionMatrix } from "./confusion-matrix.ts";
import { ratio } from "./ratio.ts";

/** Sets of labels, one row an example, 1 for each label in the set and 0 for the others. */
export interface JudgedSets {
  /** The labels that each example was given, [B, K]. */
  predicted: Uint8Array;
  /** The labels that each example has, [B, K]. */
  gold: Uint8Array;
  /** K, how many labels there are. */
  labelCount: number;
}

export interface MultiLabelReport {
  /** F1 of the decisions on all labels and examples pooled. */
  microF1: number;
  /** The plain mean of the labels' F1, without labels that are neither given nor predicted. */
  macroF1: number;
  /** The mean of the labels' F1, each weighted by its number of examples. */
  weightedF1: number;
  /** The mean of the examples' F1. An example that has no label and was given none counts as 0. */
  samplesF1: number;
  /** The share of examples whose set is right as a whole; also called subset accuracy. */
  exactMatch: number;
  /** The share of decisions, one for each label of each example, that are wrong. */
  hammingLoss: number;
  /** One entry for each label, in the order of their indices. */
  labels: LabelScores[];
}

/**
 * Metrics of multi-label classification, as scikit-learn's functions of the same names have them with
 * `zero_division=0`, except that the macro mean leaves out a label that does not occur, as that of single-label
 * classification does. All are 0 for no examples.
 *
 * @throws ClozeError SHAPE_MISMATCH where the two sides differ in size or are no whole rows; ID_OUT_OF_RANGE for a number
 *   that is neither 0 nor 1
 */
export function multiLabelReport({ predicted, gold, labelCount }: JudgedSets): MultiLabelReport {
  const exampleCount = gold.length / labelCount;
  if (!Number.isInteger(exampleCount)) {
    throw new ClozeError("SHAPE_MISMATCH", {
      problem: "The gold labels are no whole rows",
      expected: `a multiple of ${labelCount} numbers`,
      received: `${gold.length}`,
      cure: "Give each example one number for each label.",
    });
  }
  // Whether an example has a label is a choice between two, so every score is that of a 2 x 2 confusion matrix.
  const decisions = (part: (side: Uint8Array) => Uint8Array) =>
    confusionMatrix({ predicted: part(predicted), gold: part(gold), labelCount: 2 });
  const all = decisions((side) => side); // [B, K]
  const examples = Array.from(
    { length: exampleCount },
    (_, example) => decisions((side) => side.subarray(example * labelCount, (example + 1) * labelCount)), // [K]
  );
  const labels = Array.from(
    { length: labelCount },
    (_, label) =>
      decisions((side) =>
        Uint8Array.from({ length: exampleCount }, (_, example) => side[example * labelCount + label]),
      ), // [B]
  );
  const scores = labels.map(positiveScores);
  const occurring = scores.filter((_, label) => labels[label][0][0] < exampleCount);
  return {
    microF1: positiveScores(all).f1,
    macroF1: mean(occurring.map(({ f1 }) => f1)),
    weightedF1: ratio(sum(scores.map(({ f1, support }) => f1 * support)), positiveScores(all).support),
    samplesF1: mean(examples.map((example) => positiveScores(example).f1)),
    exactMatch: mean(examples.map((example) => Number(accuracy(example) === 1))),
    hammingLoss: ratio(all[0][1] + all[1][0], gold.length),
    labels: scores,
  };
}

/** The scores of label 1 of two: of having a label. */
function positiveScores(matrix: ConfusionMatrix): LabelScores {
  return labelScores(matrix)[1];
}

function mean(values: readonly number[]): number {
  return ratio(sum(values), values.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
