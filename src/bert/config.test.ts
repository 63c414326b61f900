import { describe, expect, test } from "vitest";
import { makeGraph } from "../graph/graph.ts";
import { sizeOf } from "../graph/parameters.ts";
import { bert, bertInputs, pooler } from "./bert.ts";
import { type BertConfig, bertConfigJson, PRESETS, type Preset, parseBertConfig, presetConfig } from "./config.ts";

/** How many parameters BERT with its pooler has, found without making them. */
function parameterCount(config: BertConfig): number {
  const inputs = bertInputs();
  const pooled = pooler(config, bert(config, inputs), inputs.lengths);
  return makeGraph({ pooled }).parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

describe("presets", () => {
  /** Of the published models with the vocabulary of 30,522 tokens (Turc et al. 2019, Devlin et al. 2019). */
  const PUBLISHED: Record<Preset, number> = {
    tiny: 4_385_920,
    mini: 11_170_560,
    small: 28_763_648,
    medium: 41_373_184,
    base: 109_482_240,
    large: 335_141_888,
  };

  test.each(PRESETS)("%s has as many parameters as the published model", (preset) => {
    expect(parameterCount(presetConfig(preset, 30522))).toBe(PUBLISHED[preset]);
  });

  test.each(PRESETS)("%s is the same after writing and reading", (preset) => {
    const config = presetConfig(preset, 99);
    expect(parseBertConfig(JSON.parse(JSON.stringify(bertConfigJson(config))), "config.json")).toEqual(config);
  });
});

describe("parseBertConfig", () => {
  /** bert_config.json of the released uncased_L-12_H-768_A-12. */
  const released = {
    attention_probs_dropout_prob: 0.1,
    hidden_act: "gelu",
    hidden_dropout_prob: 0.1,
    hidden_size: 768,
    initializer_range: 0.02,
    intermediate_size: 3072,
    max_position_embeddings: 512,
    num_attention_heads: 12,
    num_hidden_layers: 12,
    type_vocab_size: 2,
    vocab_size: 30522,
  };

  test("reads the released bert_config.json and Hugging Face's config.json alike", () => {
    const huggingFace = {
      ...released,
      architectures: ["BertForMaskedLM"],
      classifier_dropout: null,
      gradient_checkpointing: false,
      layer_norm_eps: 1e-12,
      model_type: "bert",
      pad_token_id: 0,
      position_embedding_type: "absolute",
      torch_dtype: "float32",
      transformers_version: "4.38.0",
      use_cache: true,
    };
    expect(parseBertConfig(released, "bert_config.json")).toEqual(presetConfig("base", 30522));
    expect(parseBertConfig(huggingFace, "config.json")).toEqual(presetConfig("base", 30522));
  });

  test.each<[field: string, value: unknown, expected: Partial<BertConfig>]>([
    ["vocab_size", 99, { vocabSize: 99 }],
    ["hidden_size", 36, { hiddenSize: 36 }],
    ["num_hidden_layers", 5, { layers: 5 }],
    ["num_attention_heads", 4, { heads: 4 }],
    ["intermediate_size", 37, { intermediateSize: 37 }],
    ["hidden_act", "gelu_new", { activation: "gelu_new" }],
    ["hidden_act", "swish", { activation: "silu" }],
    ["hidden_dropout_prob", 0.2, { hiddenDropout: 0.2, classifierDropout: 0.2 }],
    ["attention_probs_dropout_prob", 0, { attentionDropout: 0 }],
    ["classifier_dropout", 0.3, { classifierDropout: 0.3 }],
    ["max_position_embeddings", 40, { maxPositions: 40 }],
    ["type_vocab_size", 3, { segments: 3 }],
    ["initializer_range", 0.05, { initializerRange: 0.05 }],
    ["layer_norm_eps", 1e-7, { layerNormEpsilon: 1e-7 }],
  ])("takes %s = %j for what it is, and changes nothing else", (field, value, expected) => {
    const config = parseBertConfig({ ...released, [field]: value }, "config.json");
    expect(config).toEqual({ ...presetConfig("base", 30522), ...expected });
  });

  test("names the file and every field at fault", () => {
    const broken = { ...released, hidden_size: "768", hidden_act: "mish", is_decoder: true, vocab_size: undefined };
    expect(() => parseBertConfig(broken, "there/config.json")).toThrow(
      expect.objectContaining({
        code: "CONFIG_MALFORMED",
        message: expect.stringMatching(
          /^there\/config\.json .*vocab_size: .*hidden_size: .*hidden_act: .*is_decoder: /,
        ),
      }),
    );
  });
});
