import type { ConfusionMatrix } from "./confusion-matrix.ts";
import { ratio } from "./ratio.ts";

/**
 * Metrics of single-label classification, from a confusion matrix. They agree with scikit-learn's functions of the
 * same names: a ratio whose denominator is 0 counts as 0 (`zero_division=0`), and means over labels leave out a label
 * that is neither given nor predicted.
 */

/** How well one label is told from the rest; `support` is the number of examples that have it. */
export interface LabelScores {
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

export interface ClassificationReport {
  accuracy: number;
  macroF1: number;
  microF1: number;
  weightedF1: number;
  mcc: number;
  /** One entry for each label, in the order of their indices. */
  labels: LabelScores[];
}

/** All metrics of this file at once. */
export function classificationReport(matrix: ConfusionMatrix): ClassificationReport {
  return {
    accuracy: accuracy(matrix),
    macroF1: macroF1(matrix),
    microF1: microF1(matrix),
    weightedF1: weightedF1(matrix),
    mcc: matthewsCorrelation(matrix),
    labels: labelScores(matrix),
  };
}

/** The share of examples that were given their own label; 0 for no examples. */
export function accuracy(matrix: ConfusionMatrix): number {
  const { correct, given } = margins(matrix);
  return ratio(sum(correct), sum(given));
}

/**
 * Precision (of those predicted to have the label, the share that have it), recall (of those that have it, the share
 * predicted to) and F1 (their harmonic mean, van Rijsbergen 1979) of each label.
 */
export function labelScores(matrix: ConfusionMatrix): LabelScores[] {
  const { correct, given, predicted } = margins(matrix);
  return correct.map((hits, label) => ({
    precision: ratio(hits, predicted[label]),
    recall: ratio(hits, given[label]),
    f1: ratio(2 * hits, predicted[label] + given[label]),
    support: given[label],
  }));
}

/** The plain mean of the labels' F1: every label weighs the same, however rare. */
export function macroF1(matrix: ConfusionMatrix): number {
  const { given, predicted } = margins(matrix);
  const occurring = labelScores(matrix).filter((_, label) => given[label] + predicted[label] > 0);
  return ratio(sum(occurring.map(({ f1 }) => f1)), occurring.length);
}

/** F1 of the decisions on all labels pooled. Where each example has exactly one label, this is the accuracy. */
export function microF1(matrix: ConfusionMatrix): number {
  const { correct, given, predicted } = margins(matrix);
  return ratio(2 * sum(correct), sum(predicted) + sum(given));
}

/** The mean of the labels' F1, each weighted by its number of examples. */
export function weightedF1(matrix: ConfusionMatrix): number {
  const scores = labelScores(matrix);
  return ratio(sum(scores.map(({ f1, support }) => f1 * support)), sum(scores.map(({ support }) => support)));
}

/**
 * Matthews' correlation (1975) of predictions with gold labels, for any number of labels (R_K, Gorodkin 2004): 1 for
 * perfect, around 0 for guesses at any class balance, and 0 where either side knows only one label.
 */
export function matthewsCorrelation(matrix: ConfusionMatrix): number {
  const { correct, given, predicted } = margins(matrix);
  const total = sum(given);
  // Covariances of the one-hot encodings, times total².
  const together = sum(correct) * total - dot(given, predicted);
  const ofGiven = total * total - dot(given, given);
  const ofPredicted = total * total - dot(predicted, predicted);
  return ratio(together, Math.sqrt(ofGiven * ofPredicted));
}

/** For each label: the examples that have it and were given it, that have it, and that were given it. */
function margins(matrix: ConfusionMatrix) {
  return {
    correct: matrix.map((row, label) => row[label]),
    given: matrix.map((row) => sum(row)),
    predicted: matrix.map((_, label) => sum(matrix.map((row) => row[label]))),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sum(a.map((value, index) => value * b[index]));
}
