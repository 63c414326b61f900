import { bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { dropout, input, sigmoidCrossEntropy, softmaxCrossEntropy, squaredError } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";
import type { HeadOutputs } from "./head-outputs.ts";

/** What the logits of a sequence say, in the words of Hugging Face's `problem_type`. */
export type ProblemType = "single_label_classification" | "multi_label_classification" | "regression";

/** The loss of logits [B, K], with what each problem is given as its right answers and their weights. */
const LOSSES: { readonly [P in ProblemType]: (logits: Tensor) => Tensor } = {
  /** One of K labels. */
  single_label_classification: (logits) =>
    softmaxCrossEntropy(logits, input("labels", "int32", ["B"]), input("weights", "float32", ["B"])),
  /** Any of K labels: a target of 1 for those that apply, 0 for the others. Each of the decisions has a weight. */
  multi_label_classification: (logits) => {
    const { shape } = logits;
    return sigmoidCrossEntropy(logits, input("targets", "float32", shape), input("weights", "float32", shape));
  },
  /** A number; K is 1. */
  regression: (logits) => squaredError(logits, input("targets", "float32", ["B"]), input("weights", "float32", ["B"])),
};

/**
 * BertForSequenceClassification: one linear layer over the pooled first token gives a logit for each of K labels.
 * `loss` is Σ weight × the sequence's cross-entropy or squared error, for several labels Σ weight × the cross-entropy of
 * each decision. So weights of 1 / B make a mean, for several labels 1 / (B K).
 */
export function sequenceClassification(
  config: BertConfig,
  { labels: K, problem = "single_label_classification" }: { labels: number; problem?: ProblemType },
): HeadOutputs {
  const inputs = bertInputs();
  const pooled = dropout(pooler(config, bert(config, inputs), inputs.lengths), config.classifierDropout); // [B, D]
  const logits = dense("classifier", { in: config.hiddenSize, out: K })(pooled); // [B, K]
  return { logits, loss: LOSSES[problem](logits) };
}
