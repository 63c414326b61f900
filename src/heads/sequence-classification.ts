import { bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { dropout, input, softmaxCrossEntropy } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

/**
 * BertForSequenceClassification: one linear layer over the pooled first token gives a logit for each of K labels.
 * `loss` is Σ weight × cross-entropy, so weights of 1 / B make a mean.
 */
export function sequenceClassification(
  config: BertConfig,
  { labels: K }: { labels: number },
): { logits: Tensor; loss: Tensor } {
  const inputs = bertInputs();
  const { hidden } = bert(config, inputs);
  const pooled = dropout(pooler(config, hidden, inputs.lengths), config.classifierDropout); // [B, D]
  const logits = dense(pooled, "classifier", { in: config.hiddenSize, out: K }); // [B, K]
  const loss = softmaxCrossEntropy(logits, input("labels", "int32", ["B"]), input("weights", "float32", ["B"]));
  return { logits, loss };
}
