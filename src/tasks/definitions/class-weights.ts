import { ClozeError } from "../../base/errors.ts";
import { quote, quoteSome } from "../../base/quote.ts";
import type { Feature } from "./task.ts";

/** The target of a token that no label belongs to: a special one, or a word's second. */
export const UNLABELLED = -1;

/**
 * The same features, weighted by their label too: "balanced" gives all labels the same total weight, as scikit-learn's
 * `class_weight="balanced"` does, which counts texts and not the windows over them; "spam=2,ham=1" says it for each, 1
 * where it does not. Throws OPTION_INVALID.
 */
export function weighByLabel(features: readonly Feature[], labels: readonly string[], weights: string): Feature[] {
  const byLabel = weights === BALANCED ? balanced(features, labels.length) : stated(weights, labels);
  return features.map((feature) => ({ ...feature, weight: byLabel[feature.target[0]] * (feature.weight ?? 1) }));
}

/** The same where each token has a label or is UNLABELLED: every token is weighted by its own. Throws OPTION_INVALID. */
export function weighTokens(features: readonly Feature[], labels: readonly string[], weights: string): Feature[] {
  const byLabel = weights === BALANCED ? balanced(features, labels.length) : stated(weights, labels);
  return features.map((feature) => ({
    ...feature,
    weights: Float32Array.from(feature.target, (label) => (label === UNLABELLED ? 0 : byLabel[label])),
  }));
}

/**
 * The same where any of the labels may apply, with a 1 for those that do: the weight of a label counts where it applies, as
 * PyTorch's `pos_weight` does. "balanced" makes texts with the label and texts without it weigh the same in total. Throws
 * OPTION_INVALID.
 */
export function weighPositives(features: readonly Feature[], labels: readonly string[], weights: string): Feature[] {
  const byLabel = weights === BALANCED ? balancedPositives(features, labels.length) : stated(weights, labels);
  return features.map((feature) => ({
    ...feature,
    weights: Float32Array.from(feature.target, (applies, label) => (applies === 1 ? byLabel[label] : 1)),
  }));
}

/** The weights of a part of a batch, as shares of the whole batch: what makes a weighted mean of a sum. */
export function shares(part: readonly Feature[], batch: readonly Feature[]): Float32Array {
  const total = batch.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return Float32Array.from(part, ({ weight = 1 }) => weight / total);
}

/** The same for each token, those of all sequences one after another [T]; 0 for those that are UNLABELLED. */
export function tokenShares(part: readonly Feature[], batch: readonly Feature[]): Float32Array {
  let total = 0;
  for (const feature of batch) {
    for (let token = 0; token < feature.target.length; token++) total += tokenWeight(feature, token);
  }
  if (total === 0) total = 1; // no token of the batch has a label
  return Float32Array.from(
    part.flatMap((feature) => Array.from(feature.target, (_, token) => tokenWeight(feature, token) / total)),
  );
}

/** The same for each decision on K labels [B, K]: a Kth of its feature's share, times the decision's own weight. */
export function decisionShares(part: readonly Feature[], batch: readonly Feature[]): Float32Array {
  const ofFeatures = shares(part, batch);
  const ofDecisions = part.flatMap(({ target, weights }, i) =>
    Array.from(target, (_, label) => (ofFeatures[i] / target.length) * (weights?.[label] ?? 1)),
  );
  return Float32Array.from(ofDecisions);
}

const BALANCED = "balanced";

function tokenWeight({ target, weight = 1, weights }: Feature, token: number): number {
  return target[token] === UNLABELLED ? 0 : weight * (weights?.[token] ?? 1);
}

function balanced(features: readonly Feature[], labelCount: number): number[] {
  const counts = new Array<number>(labelCount).fill(0);
  for (const { target, weight = 1 } of features) {
    for (const label of target) if (label !== UNLABELLED) counts[label] += weight;
  }
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => (count === 0 ? 1 : total / (labelCount * count)));
}

/** Texts without a label for each text with it; 1 for a label that applies to all texts or to none. */
function balancedPositives(features: readonly Feature[], labelCount: number): number[] {
  const counts = new Array<number>(labelCount).fill(0);
  let total = 0;
  for (const { target, weight = 1 } of features) {
    total += weight;
    target.forEach((applies, label) => {
      counts[label] += weight * applies;
    });
  }
  return counts.map((count) => (count === 0 || count === total ? 1 : (total - count) / count));
}

function stated(weights: string, labels: readonly string[]): number[] {
  const byLabel = labels.map(() => 1);
  for (const part of weights.split(",")) {
    const [, label, text] = /^(.*)=(.*)$/.exec(part) ?? [];
    const index = label === undefined ? -1 : labels.indexOf(label.trim());
    const weight = Number(text);
    if (label !== undefined && index < 0) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "the class weights name a label that the training data does not have",
        expected: quoteSome(labels, 30),
        received: quote(label.trim()),
      });
    }
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
