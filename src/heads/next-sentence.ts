import { type BertOutputs, bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { accuracy, input, softmaxCrossEntropy } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

export interface NextSentenceOutputs {
  /** Logits of "B follows A" and "B is random" [B, 2]. */
  readonly logits: Tensor;
  /** Σ weight × cross-entropy []. */
  readonly loss: Tensor;
  /** Σ of the weights of the pairs that are judged right []. */
  readonly accuracy: Tensor;
}

/** BertForNextSentencePrediction: does the second text follow the first? (Devlin et al. 2019, section 3.1) */
export function nextSentence(config: BertConfig): NextSentenceOutputs {
  const inputs = bertInputs();
  return nextSentenceHead(config, bert(config, inputs), inputs.lengths);
}

/** The pooler and a logit for either answer. lengths [B]. */
export function nextSentenceHead(
  config: BertConfig,
  outputs: BertOutputs,
  lengths: Tensor<"int32">,
): NextSentenceOutputs {
  const pooled = pooler(config, outputs, lengths); // [B, D]
  const logits = dense("cls.seq_relationship", { in: config.hiddenSize, out: 2 })(pooled); // [B, 2]
  const labels = input("nextSentence", "int32", ["B"]);
  const weights = input("nextSentenceWeights", "float32", ["B"]);
  return {
    logits,
    loss: softmaxCrossEntropy(logits, labels, weights),
    accuracy: accuracy(logits, labels, weights),
  };
}
