import { ClozeError } from "../../base/errors.ts";
import { quote, quoteSome } from "../../base/quote.ts";

/**
 * The labels that occur, numbers in their order, others by code unit; `option` names the column that they come from. Throws
 * LABELS_TOO_FEW: with one label there is nothing to learn.
 */
export function labelsOf(occurring: readonly string[], file: string, option = "--label-column"): string[] {
  const labels = [...new Set(occurring)].sort();
  if (labels.every((label) => /^\d+$/.test(label))) labels.sort((a, b) => Number(a) - Number(b));
  if (labels.length > 1) return labels;
  throw new ClozeError("LABELS_TOO_FEW", {
    problem: labels.length === 0 ? `${file} has no labels` : `all labels of ${file} are the same`,
    expected: "two labels or more",
    received: labels.length === 0 ? undefined : quote(labels[0]),
    cure: `Check ${option}.`,
  });
}

/** Throws LABEL_UNKNOWN. */
export function labelIndex(label: string, labels: readonly string[], place: string): number {
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new ClozeError("LABEL_UNKNOWN", {
    problem: `${place} has a label that the model does not know`,
    expected: quoteSome(labels, 10),
    received: quote(label),
    cure: "Correct the label, or train with data in which it occurs.",
  });
}

/** Probabilities under the names of their labels. */
export function namedScores(probabilities: Float32Array, labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, i) => [label, probabilities[i]]));
}
