import { ClozeError } from "../../base/errors.ts";

/**
 * The labels that occur, numbers in their order, others by code unit. Throws LABELS_TOO_FEW: with one label there is nothing
 * to learn.
 */
export function labelsOf(occurring: readonly string[], file: string): string[] {
  const labels = [...new Set(occurring)].sort();
  if (labels.every((label) => /^\d+$/.test(label))) labels.sort((a, b) => Number(a) - Number(b));
  if (labels.length > 1) return labels;
  throw new ClozeError("LABELS_TOO_FEW", {
    problem: `all labels of ${file} are the same`,
    expected: "two labels or more",
    received: JSON.stringify(labels[0]),
    cure: "Check --label-column.",
  });
}

/** Throws LABEL_UNKNOWN. */
export function labelIndex(label: string, labels: readonly string[], place: string): number {
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new ClozeError("LABEL_UNKNOWN", {
    problem: `${place} has a label that the model does not know`,
    expected: labels.map((known) => JSON.stringify(known)).join(", "),
    received: JSON.stringify(label),
    cure: "Correct the label, or train with data in which it occurs.",
  });
}
