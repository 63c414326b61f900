import { bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { dropout, input, sigmoidCrossEntropy, softmaxCrossEntropy, squaredError } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

/** What the logits of a sequence say, in the words of Hugging Face's `problem_type`. */
export type ProblemType = "single_label_classification" | "multi_label_classification" | "regression";

/** The loss of logits [B, K] by weights [B], with what each problem is given as its right answers. */
const LOSSES: { readonly [P in ProblemType]: (logits: Tensor, weights: Tensor) => Tensor } = {
  /** One of K labels. */
  single_label_classification: (logits, weights) =>
    softmaxCrossEntropy(logits, input("labels", "int32", ["B"]), weights),
  /** Any of K labels: a target of 1 for those that apply, 0 for the others. */
  multi_label_classification: (logits, weights) =>
    sigmoidCrossEntropy(logits, input("targets", "float32", logits.shape), weights),
  /** A number; K is 1. */
  regression: (logits, weights) => squaredError(logits, input("targets", "float32", ["B"]), weights),
};

/**
 * BertForSequenceClassification: one linear layer over the pooled first token gives a logit for each of K labels.
 * `loss` is Σ weight × the sequence's loss: cross-entropy, a sum of K binary ones, or the squared error. So weights of
 * 1 / B make a mean, for several labels 1 / (B K).
 */
export function sequenceClassification(
  config: BertConfig,
  { labels: K, problem = "single_label_classification" }: { labels: number; problem?: ProblemType },
): { logits: Tensor; loss: Tensor } {
  const inputs = bertInputs();
  const { hidden } = bert(config, inputs);
  const pooled = dropout(pooler(config, hidden, inputs.lengths), config.classifierDropout); // [B, D]
  const logits = dense(pooled, "classifier", { in: config.hiddenSize, out: K }); // [B, K]
  return { logits, loss: LOSSES[problem](logits, input("weights", "float32", ["B"])) };
}
