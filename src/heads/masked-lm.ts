import { type BertOutputs, bert, bertInputs } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense, norm } from "../bert/layers.ts";
import { accuracy, activation, input, linear, parameter, softmaxCrossEntropy } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

export interface MaskedLmOutputs {
  /** Logits of the vocabulary at the masked positions [M, V]. */
  readonly logits: Tensor;
  /** Σ weight × cross-entropy []. */
  readonly loss: Tensor;
  /** Σ of the weights of the positions where the right token is the likeliest []. */
  readonly accuracy: Tensor;
}

/** BertForMaskedLM: BERT, which is asked for the tokens behind the masks (Devlin et al. 2019, section 3.1). */
export function maskedLm(config: BertConfig): MaskedLmOutputs {
  return maskedLmHead(config, bert(config, bertInputs()));
}

/** A transform, then a product with the word embeddings themselves (tied) and a bias a word. */
export function maskedLmHead(config: BertConfig, { hiddenOf, wordEmbeddings }: BertOutputs): MaskedLmOutputs {
  const { hiddenSize: D, vocabSize: V } = config;
  const x = hiddenOf(input("maskedPositions", "int32", ["M"])); // [M, D]
  const transformed = activation(dense("cls.predictions.transform.dense", { in: D, out: D })(x), config.activation);
  const normed = norm("cls.predictions.transform.LayerNorm", D, config.layerNormEpsilon)(transformed); // [M, D]
  const logits = linear(normed, wordEmbeddings, parameter("cls.predictions.bias", [V], "zeros")); // [M, V]
  const labels = input("maskedLabels", "int32", ["M"]);
  const weights = input("maskedWeights", "float32", ["M"]);
  return {
    logits,
    loss: softmaxCrossEntropy(logits, labels, weights),
    accuracy: accuracy(logits, labels, weights),
  };
}
