import { bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { dropout, input, segmentCrossEntropy } from "../graph/build.ts";
import type { HeadOutputs } from "./head-outputs.ts";

/**
 * BertForMultipleChoice: each choice is a sequence of its own, the question before it; one linear layer over the pooled
 * first token gives its logit (Devlin et al. 2019, section 4.4). An example is `choices` sequences, one after another, and
 * its label the right one of them. `loss` is Σ weight × cross-entropy among the choices of each of E examples, so weights
 * of 1 / E make a mean.
 */
export function multipleChoice(config: BertConfig): HeadOutputs {
  const inputs = bertInputs();
  const pooled = dropout(pooler(config, bert(config, inputs), inputs.lengths), config.classifierDropout); // [B, D]
  const logits = dense("classifier", { in: config.hiddenSize, out: 1 })(pooled); // [B, 1]
  const choices = input("choices", "int32", ["E"]);
  const labels = input("labels", "int32", ["E", 1]);
  const loss = segmentCrossEntropy(logits, choices, labels, input("weights", "float32", ["E"]));
  return { logits, loss };
}
