import { ClozeError } from "../../base/errors.ts";
import type { Feature } from "./task.ts";

/**
 * The same features, weighted by their label too: "balanced" gives all labels the same total weight, as scikit-learn's
 * `class_weight="balanced"` does, which counts texts and not the windows over them; "spam=2,ham=1" says it for each, 1 where it does not. Throws OPTION_INVALID.
 */
export function weighByLabel(features: readonly Feature[], labels: readonly string[], weights: string): Feature[] {
  const byLabel = weights === "balanced" ? balanced(features, labels.length) : stated(weights, labels);
  return features.map((feature) => ({ ...feature, weight: byLabel[feature.target[0]] * (feature.weight ?? 1) }));
}

/** The weights of a part of a batch, as shares of the whole batch: what makes a weighted mean of a sum. */
export function shares(part: readonly Feature[], batch: readonly Feature[]): Float32Array {
  const total = batch.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return Float32Array.from(part, ({ weight = 1 }) => weight / total);
}

function balanced(features: readonly Feature[], labelCount: number): number[] {
  const counts = new Array<number>(labelCount).fill(0);
  for (const { target, weight = 1 } of features) counts[target[0]] += weight;
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => (count === 0 ? 1 : total / (labelCount * count)));
}

function stated(weights: string, labels: readonly string[]): number[] {
  const byLabel = labels.map(() => 1);
  for (const part of weights.split(",")) {
    const [, label, text] = /^(.*)=(.*)$/.exec(part) ?? [];
    const index = label === undefined ? -1 : labels.indexOf(label.trim());
    const weight = Number(text);
    if (index < 0 || !(weight > 0 && Number.isFinite(weight))) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "the class weights cannot be understood",
        expected: `"balanced", or a weight above 0 for some labels of ${labels.join(", ")}: "${labels[0]}=2"`,
        received: JSON.stringify(part),
      });
    }
    byLabel[index] = weight;
  }
  return byLabel;
}
