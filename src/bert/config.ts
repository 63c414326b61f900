import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { faultsOf, plainWords } from "../base/plain-words.ts";
import type { ActivationKind } from "../graph/operations.ts";

/** Everything that changes what BERT computes (Devlin et al. 2019); letters as in docs/glossary.md. */
export interface BertConfig {
  /** V */
  readonly vocabSize: number;
  /** D */
  readonly hiddenSize: number;
  /** L */
  readonly layers: number;
  /** N */
  readonly heads: number;
  /** F */
  readonly intermediateSize: number;
  readonly activation: ActivationKind;
  readonly hiddenDropout: number;
  readonly attentionDropout: number;
  /** Dropout before a task's own layer; the hidden rate where the file names none. */
  readonly classifierDropout: number;
  /** The longest sequence. */
  readonly maxPositions: number;
  readonly segments: number;
  /** Deviation of the truncated normal that weights start from. */
  readonly initializerRange: number;
  readonly layerNormEpsilon: number;
}

const PRESET_SIZES = {
  tiny: [2, 128, 2],
  mini: [4, 256, 4],
  small: [4, 512, 8],
  medium: [8, 512, 8],
  base: [12, 768, 12],
  large: [24, 1024, 16],
} as const;

export type Preset = keyof typeof PRESET_SIZES;

/** Names of the presets: layers, width and heads of the published models (Turc et al. 2019; Devlin et al. 2019). */
export const PRESETS = Object.keys(PRESET_SIZES) as readonly Preset[];

export function isPreset(name: string): name is Preset {
  return Object.hasOwn(PRESET_SIZES, name);
}

/** The configuration of a published size for a vocabulary. */
export function presetConfig(preset: Preset, vocabSize: number): BertConfig {
  const [layers, hiddenSize, heads] = PRESET_SIZES[preset];
  return {
    vocabSize,
    hiddenSize,
    layers,
    heads,
    intermediateSize: 4 * hiddenSize,
    activation: "gelu",
    hiddenDropout: 0.1,
    attentionDropout: 0.1,
    classifierDropout: 0.1,
    maxPositions: 512,
    segments: 2,
    initializerRange: 0.02,
    layerNormEpsilon: 1e-12,
  };
}

/** The same model as it predicts: nothing is dropped. */
export function withoutDropout(config: BertConfig): BertConfig {
  return { ...config, hiddenDropout: 0, attentionDropout: 0, classifierDropout: 0 };
}

const size = z.int().positive();
const rate = z.number().min(0).lt(1);

/** The fields of Hugging Face's config.json and of the released bert_config.json, with their documented defaults. */
const FileSchema = z
  .object({
    model_type: z.literal("bert").default("bert"),
    vocab_size: size,
    hidden_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    intermediate_size: size,
    hidden_act: z.enum(["gelu", "gelu_new", "relu", "silu", "swish", "tanh"]).default("gelu"),
    hidden_dropout_prob: rate.default(0.1),
    attention_probs_dropout_prob: rate.default(0.1),
    classifier_dropout: rate.nullish(),
    max_position_embeddings: size.default(512),
    type_vocab_size: size.default(2),
    initializer_range: z.number().positive().default(0.02),
    layer_norm_eps: z.number().positive().default(1e-12),
    position_embedding_type: z.literal("absolute").default("absolute"),
    is_decoder: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
    tie_word_embeddings: z.literal(true).default(true),
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ["num_attention_heads"],
    error: "must divide hidden_size",
  });

/**
 * Reads a parsed config.json or bert_config.json. Throws CONFIG_MALFORMED, which names each field at fault, for wrong
 * types and ranges and for variants of BERT that compute something else (decoders, relative positions, untied weights).
 */
export function parseBertConfig(json: unknown, source: string): BertConfig {
  const result = FileSchema.safeParse(json, { error: plainWords });
  if (!result.success) {
    throw new ClozeError("CONFIG_MALFORMED", {
      problem: `${source} does not describe a BERT model that Cloze runs`,
      received: faultsOf(result.error),
    });
  }
  const file = result.data;
  return {
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    layers: file.num_hidden_layers,
    heads: file.num_attention_heads,
    intermediateSize: file.intermediate_size,
    activation: file.hidden_act === "swish" ? "silu" : file.hidden_act,
    hiddenDropout: file.hidden_dropout_prob,
    attentionDropout: file.attention_probs_dropout_prob,
    classifierDropout: file.classifier_dropout ?? file.hidden_dropout_prob,
    maxPositions: file.max_position_embeddings,
    segments: file.type_vocab_size,
    initializerRange: file.initializer_range,
    layerNormEpsilon: file.layer_norm_eps,
  };
}

/** The configuration under Hugging Face's names, ready for config.json. */
export function bertConfigJson(config: BertConfig): Record<string, unknown> {
  return {
    model_type: "bert",
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    intermediate_size: config.intermediateSize,
    hidden_act: config.activation,
    hidden_dropout_prob: config.hiddenDropout,
    attention_probs_dropout_prob: config.attentionDropout,
    classifier_dropout: config.classifierDropout,
    max_position_embeddings: config.maxPositions,
    type_vocab_size: config.segments,
    initializer_range: config.initializerRange,
    layer_norm_eps: config.layerNormEpsilon,
    position_embedding_type: "absolute",
  };
}
