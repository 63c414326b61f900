import { bert, bertInputs } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { dropout, input, softmaxCrossEntropy } from "../graph/build.ts";
import type { HeadOutputs } from "./head-outputs.ts";

/**
 * BertForTokenClassification: one linear layer over every token gives a logit for each of K labels, as in named entity
 * recognition (Devlin et al. 2019, section 5.3). `loss` is Σ weight × cross-entropy; a token without a label has the
 * weight 0 and any label.
 */
export function tokenClassification(config: BertConfig, { labels: K }: { labels: number }): HeadOutputs {
  const { hidden } = bert(config, bertInputs());
  const x = dropout(hidden, config.classifierDropout); // [T, D]
  const logits = dense("classifier", { in: config.hiddenSize, out: K })(x); // [T, K]
  const loss = softmaxCrossEntropy(logits, input("labels", "int32", ["T"]), input("weights", "float32", ["T"]));
  return { logits, loss };
}
