import { at, logSoftmaxRows, matrix, softmaxRows, sum, vector } from "./matrix.ts";
import { sigmoid } from "./pointwise.ts";
import type { Rules } from "./rules.ts";

export const LOSS_RULES: Pick<
  Rules,
  | "accuracy"
  | "softmaxCrossEntropy"
  | "softmaxCrossEntropyGradient"
  | "sigmoidCrossEntropy"
  | "sigmoidCrossEntropyGradient"
  | "squaredError"
  | "squaredErrorGradient"
> = {
  accuracy: ({ inputs }, run) => {
    const logits = run.matrix(inputs.logits); // [R, K]
    const labels = run.integers(inputs.labels); // [R]
    const weights = run.floats(inputs.weights); // [R]
    const highest = (r: number) => Math.max(...Array.from({ length: logits.columns }, (_, k) => at(logits, r, k)));
    return [Float64Array.of(sum(labels.length, (r) => (at(logits, r, labels[r]) >= highest(r) ? weights[r] : 0)))]; // []
  },

  softmaxCrossEntropy: ({ inputs }, run) => {
    const logarithms = logSoftmaxRows(run.matrix(inputs.logits)); // [R, K]
    const labels = run.integers(inputs.labels); // [R]
    const weights = run.floats(inputs.weights); // [R]
    return [Float64Array.of(-sum(labels.length, (r) => weights[r] * at(logarithms, r, labels[r])))]; // []
  },

  softmaxCrossEntropyGradient: ({ inputs }, run) => {
    const [dy] = run.floats(inputs.dy); // []
    const p = softmaxRows(run.matrix(inputs.logits)); // [R, K]
    const labels = run.integers(inputs.labels); // [R]
    const weights = run.floats(inputs.weights); // [R]
    return [matrix(p.rows, p.columns, (r, k) => dy * weights[r] * (at(p, r, k) - (k === labels[r] ? 1 : 0))).data];
  },

  sigmoidCrossEntropy: ({ inputs }, run) => {
    const logits = run.matrix(inputs.logits); // [R, K]
    const targets = run.matrix(inputs.targets); // [R, K]
    const weights = run.matrix(inputs.weights); // [R, K]
    const loss = (x: number, t: number) => t * softplus(-x) + (1 - t) * softplus(x);
    const weighted = (r: number, k: number) => at(weights, r, k) * loss(at(logits, r, k), at(targets, r, k));
    return [Float64Array.of(sum(logits.rows, (r) => sum(logits.columns, (k) => weighted(r, k))))]; // []
  },

  sigmoidCrossEntropyGradient: ({ inputs }, run) => {
    const [dy] = run.floats(inputs.dy); // []
    const x = run.matrix(inputs.logits); // [R, K]
    const targets = run.matrix(inputs.targets); // [R, K]
    const weights = run.matrix(inputs.weights); // [R, K]
    const slope = (r: number, k: number) => sigmoid(at(x, r, k)) - at(targets, r, k);
    return [matrix(x.rows, x.columns, (r, k) => dy * at(weights, r, k) * slope(r, k)).data]; // [R, K]
  },

  squaredError: ({ inputs }, run) => {
    const predictions = run.floats(inputs.predictions); // [R, 1]
    const targets = run.floats(inputs.targets); // [R]
    const weights = run.floats(inputs.weights); // [R]
    return [Float64Array.of(sum(targets.length, (r) => weights[r] * (predictions[r] - targets[r]) ** 2))]; // []
  },

  squaredErrorGradient: ({ inputs }, run) => {
    const [dy] = run.floats(inputs.dy); // []
    const predictions = run.floats(inputs.predictions); // [R, 1]
    const targets = run.floats(inputs.targets); // [R]
    const weights = run.floats(inputs.weights); // [R]
    return [vector(targets.length, (r) => dy * weights[r] * 2 * (predictions[r] - targets[r]))]; // [R, 1]
  },
};

/** log(1 + exp x) = -log σ(-x), which does not overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
