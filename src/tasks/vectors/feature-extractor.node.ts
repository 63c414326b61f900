import { ClozeError } from "../../base/errors.ts";
import { requireKnown } from "../../base/require-known.ts";
import type { BertConfig } from "../../bert/config.ts";
import { EXECUTOR_OPTIONS, type ExecutorOptions } from "../../executors/executor.node.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { type FrozenModel, openFrozenModel } from "../folder/frozen-model.node.ts";
import { openModelFolder } from "../folder/model-folder.node.ts";
import type { Control } from "../run/control.ts";
import { maxLengthOf } from "../run/max-length.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { FeatureModel, featureParameters } from "./feature-extraction.ts";
import { PooledFeatures, TokenFeatures } from "./features.ts";
import { chooseLayers, type LayerChoice } from "./layer-choice.ts";
import type { Pooling } from "./pooling.ts";

/** Which features are wanted. */
export interface FeatureOptions {
  /** Default: those that the extractor was opened for. Several layers stand one beside the other. */
  readonly layers?: LayerChoice;
  /** Give each row the Euclidean length 1. Default false. */
  readonly normalize?: boolean;
  /** Tokens of a text at most, special tokens included. Default: as many as the model takes. */
  readonly maxLength?: number;
}

/**
 * A BERT from a model folder, with any head or none, as a source of features: texts in, hidden states out. A text's
 * features have, on `cpu`, the same bits alone and beside any others.
 */
export class FeatureExtractor {
  readonly config: BertConfig;
  /** Numbers in a row of features of the layers that it was opened for. */
  readonly width: number;
  readonly #tokenizer: BertTokenizer;
  readonly #frozen: FrozenModel;
  readonly #layers: readonly number[];
  /** For each choice of layers a graph that ends at the highest of them, made when it is first asked for. */
  readonly #models = new Map<string, Promise<FeatureModel>>();
  #disposed = false;

  private constructor(
    model: { readonly config: BertConfig; readonly tokenizer: BertTokenizer },
    frozen: FrozenModel,
    layers: LayerChoice,
  ) {
    this.config = model.config;
    this.#tokenizer = model.tokenizer;
    this.#frozen = frozen;
    this.#layers = chooseLayers(layers, this.config.layers);
    this.width = this.#layers.length * this.config.hiddenSize;
  }

  /**
   * `layers`, by default the last one, are loaded at once and given to calls that name none; a call that names others
   * loads what these need, once. Throws OPTION_INVALID, DEVICE_UNAVAILABLE and the errors of `openModelFolder` and
   * `loadWeights`.
   */
  static async open(
    path: string,
    { layers = "-1", ...options }: ExecutorOptions & { readonly layers?: LayerChoice } = {},
  ): Promise<FeatureExtractor> {
    requireKnown(options, EXECUTOR_OPTIONS);
    const extractor = new FeatureExtractor(await openModelFolder(path), await openFrozenModel(path, options), layers);
    await extractor.#model();
    return extractor;
  }

  /**
   * The features of each text's tokens: a tensor a text, none of them padded. Throws OPTION_INVALID,
   * TRUNCATION_IMPOSSIBLE, DISPOSED, LOGITS_NOT_FINITE, the signal's reason and, for layers that are not loaded yet, the
   * errors of `open`.
   */
  async tokenFeatures(
    texts: readonly TextInput[],
    options: FeatureOptions = {},
    control?: Control,
  ): Promise<TokenFeatures[]> {
    const encodings = this.#encode(texts, options);
    const model = await this.#model(options.layers);
    const rows = await model.features(encodings, { ...options, pooling: "none" }, control);
    return rows.map((data, i) => new TokenFeatures(data, model.width, encodings[i]));
  }

  /** The features of each text, a row a text. Throws as `tokenFeatures` does. */
  async pooledFeatures(
    texts: readonly TextInput[],
    options: FeatureOptions & { readonly pooling: Pooling },
    control?: Control,
  ): Promise<PooledFeatures> {
    const encodings = this.#encode(texts, options);
    const model = await this.#model(options.layers);
    const rows = await model.features(encodings, options, control);
    return new PooledFeatures(rows, model.width, encodings.filter(({ truncated }) => truncated).length);
  }

  /** Frees the model; the extractor cannot be asked afterwards. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const model of await Promise.allSettled(this.#models.values())) {
      if (model.status === "fulfilled") await model.value.dispose();
    }
  }

  #encode(texts: readonly TextInput[], { maxLength }: FeatureOptions): Encoding[] {
    const { maxPositions } = this.config;
    if (maxLength !== undefined && maxLength > maxPositions) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "the maximum length is more than the model takes",
        expected: `at most ${maxPositions} tokens`,
        received: String(maxLength),
      });
    }
    const most = maxLength ?? maxLengthOf({ tokenizer: this.#tokenizer, config: this.config });
    return texts.map(({ text, pair }) => this.#tokenizer.encode(text, { maxLength: most, pair }));
  }

  #model(choice: LayerChoice = this.#layers): Promise<FeatureModel> {
    const layers = chooseLayers(choice, this.config.layers);
    const key = layers.join();
    let model = this.#models.get(key);
    if (model === undefined) {
      model = this.#load(layers);
      this.#models.set(key, model);
      model.catch(() => this.#models.delete(key)); // so that a later call may try again
    }
    return model;
  }

  async #load(layers: readonly number[]): Promise<FeatureModel> {
    if (this.#disposed) {
      throw new ClozeError("DISPOSED", { problem: "the model was disposed of", cure: "Load it anew." });
    }
    const parameters = await this.#frozen.parameters(featureParameters(this.config, layers));
    return FeatureModel.load({ config: this.config, layers, parameters }, this.#frozen.executor);
  }
}
