import { activation, add, attention, dropout, gather, input, parameter, positions, starts } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";
import type { BertConfig } from "./config.ts";
import { dense, norm } from "./layers.ts";

/** What BERT reads: the tokens of all sequences, one after another, without padding. */
export interface BertInputs {
  /** Token ids [T]. */
  readonly ids: Tensor<"int32">;
  /** Segment of each token [T]: 0, or 1 in the second text of a pair. */
  readonly typeIds: Tensor<"int32">;
  /** Tokens of each sequence [B]. */
  readonly lengths: Tensor<"int32">;
}

export function bertInputs(): BertInputs {
  return {
    ids: input("ids", "int32", ["T"]),
    typeIds: input("typeIds", "int32", ["T"]),
    lengths: input("lengths", "int32", ["B"]),
  };
}

/** Hidden states of all tokens [T, D], or of some [R, D], given as their places among all, which takes less to compute. */
export type HiddenOf = (rows?: Tensor<"int32">) => Tensor;

export interface BertOutputs {
  /** Hidden states of the last layer [T, D]. */
  readonly hidden: Tensor;
  /** The same, or those of some tokens: the last layer makes no others. */
  readonly hiddenOf: HiddenOf;
  /** Hidden states of the embeddings and of each layer, L + 1 times [T, D]. */
  readonly hiddenStates: readonly Tensor[];
  /** The table of word embeddings [V, D], which the masked-LM head shares. */
  readonly wordEmbeddings: Tensor;
}

/** BERT's encoder (Devlin et al. 2019, section 3): embeddings, then L transformer layers. */
export function bert(config: BertConfig, inputs: BertInputs): BertOutputs {
  const { embedded, wordEmbeddings } = embeddings(config, inputs);
  const hiddenStates = [embedded];
  let hiddenOf: HiddenOf = (rows) => (rows === undefined ? embedded : gather(embedded, rows));
  for (let layer = 0; layer < config.layers; layer++) {
    hiddenOf = encoderLayer(config, hiddenStates[layer], inputs.lengths, `bert.encoder.layer.${layer}`);
    hiddenStates.push(hiddenOf());
  }
  return { hidden: hiddenStates[config.layers], hiddenOf, hiddenStates, wordEmbeddings };
}

/** Token + position + segment, normalised. */
function embeddings(config: BertConfig, { ids, typeIds, lengths }: BertInputs) {
  const { hiddenSize: D } = config;
  const table = (name: string, rows: number) => parameter(`bert.embeddings.${name}.weight`, [rows, D], "normal");
  const wordEmbeddings = table("word_embeddings", config.vocabSize);
  const words = gather(wordEmbeddings, ids); // [T, D]
  const places = gather(table("position_embeddings", config.maxPositions), positions(lengths)); // [T, D]
  const kinds = gather(table("token_type_embeddings", config.segments), typeIds); // [T, D]
  const sum = add(add(words, places), kinds);
  const embedded = dropout(norm("bert.embeddings.LayerNorm", D, config.layerNormEpsilon)(sum), config.hiddenDropout);
  return { embedded, wordEmbeddings }; // [T, D], [V, D]
}

/**
 * Self-attention, then a feed-forward layer, each added to its input and normalised. x [T, D] -> [T, D], or [R, D] of the
 * rows that are asked for: after attention no token looks at another.
 */
function encoderLayer(config: BertConfig, x: Tensor, lengths: Tensor<"int32">, name: string): HiddenOf {
  const { hiddenSize: D, intermediateSize: F, layerNormEpsilon } = config;

  const self = `${name}.attention.self`;
  const context = attention(
    {
      query: dense(`${self}.query`, { in: D, out: D })(x),
      key: dense(`${self}.key`, { in: D, out: D })(x),
      value: dense(`${self}.value`, { in: D, out: D })(x),
      lengths,
    },
    { heads: config.heads, dropout: config.attentionDropout },
  ); // [T, D]

  const mix = dense(`${name}.attention.output.dense`, { in: D, out: D });
  const normAttended = norm(`${name}.attention.output.LayerNorm`, D, layerNormEpsilon);
  const widen = dense(`${name}.intermediate.dense`, { in: D, out: F });
  const narrow = dense(`${name}.output.dense`, { in: F, out: D });
  const normOutput = norm(`${name}.output.LayerNorm`, D, layerNormEpsilon);

  return (rows) => {
    const asked = (all: Tensor) => (rows === undefined ? all : gather(all, rows)); // [R, D]
    const h = normAttended(add(asked(x), dropout(mix(asked(context)), config.hiddenDropout))); // [R, D]
    const wide = activation(widen(h), config.activation); // [R, F]
    return normOutput(add(h, dropout(narrow(wide), config.hiddenDropout))); // [R, D]
  };
}

/** The pooler: a tanh layer over each sequence's first token, [CLS]. -> [B, D] */
export function pooler(config: BertConfig, { hiddenOf }: BertOutputs, lengths: Tensor<"int32">): Tensor {
  const { hiddenSize: D } = config;
  return activation(dense("bert.pooler.dense", { in: D, out: D })(hiddenOf(starts(lengths))), "tanh");
}
