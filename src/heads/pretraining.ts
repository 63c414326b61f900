import { bert, bertInputs, pooler } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense, norm } from "../bert/layers.ts";
import { activation, add, gather, input, linear, parameter, softmaxCrossEntropy } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

export interface PretrainingOutputs {
  /** Logits of the vocabulary at the masked positions [M, V]. */
  readonly maskedLogits: Tensor;
  /** Logits of "B follows A" and "B is random" [B, 2]. */
  readonly nextSentenceLogits: Tensor;
  /** The sum of both weighted cross-entropies []. */
  readonly loss: Tensor;
}

/** BertForPreTraining: masked LM and next sentence (Devlin et al. 2019, section 3.1), trained together. */
export function pretraining(config: BertConfig): PretrainingOutputs {
  const inputs = bertInputs();
  const { hidden, wordEmbeddings } = bert(config, inputs);

  const masked = gather(hidden, input("maskedPositions", "int32", ["M"])); // [M, D]
  const maskedLogits = maskedLm(config, masked, wordEmbeddings);
  const maskedLoss = softmaxCrossEntropy(
    maskedLogits,
    input("maskedLabels", "int32", ["M"]),
    input("maskedWeights", "float32", ["M"]),
  );

  const pooled = pooler(config, hidden, inputs.lengths); // [B, D]
  const nextSentenceLogits = dense(pooled, "cls.seq_relationship", { in: config.hiddenSize, out: 2 }); // [B, 2]
  const nextSentenceLoss = softmaxCrossEntropy(
    nextSentenceLogits,
    input("nextSentence", "int32", ["B"]),
    input("nextSentenceWeights", "float32", ["B"]),
  );
  return { maskedLogits, nextSentenceLogits, loss: add(maskedLoss, nextSentenceLoss) };
}

/** A transform, then a product with the word embeddings themselves (tied) and a bias a word. x [M, D] -> [M, V]. */
function maskedLm(config: BertConfig, x: Tensor, wordEmbeddings: Tensor): Tensor {
  const { hiddenSize: D, vocabSize: V } = config;
  const transformed = activation(dense(x, "cls.predictions.transform.dense", { in: D, out: D }), config.activation);
  const normed = norm(transformed, "cls.predictions.transform.LayerNorm", D, config.layerNormEpsilon); // [M, D]
  return linear(normed, wordEmbeddings, parameter("cls.predictions.bias", [V], "zeros")); // [M, V]
}
