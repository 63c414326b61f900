import { bert, bertInputs } from "../../bert/bert.ts";
import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import type { Sequence } from "../../data/sequences.ts";
import type { Executor, Value } from "../../graph/executor.ts";
import { makeGraph, type ParameterSpec } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operations.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import type { Control } from "../run/control.ts";
import { Predictor } from "../run/predictor.ts";
import { normalizeRows, type Pooling, pool } from "./pooling.ts";

/** What to make of a sequence's hidden states. */
export interface FeatureForm {
  /** `none` keeps a row a token. */
  readonly pooling: Pooling | "none";
  /** Give each row, after pooling, the Euclidean length 1; a row of zeros stays. */
  readonly normalize?: boolean;
}

/** Names and shapes of the weights that the hidden states of some layers (0: the embeddings) depend on. */
export function featureParameters(config: BertConfig, layers: readonly number[]): readonly ParameterSpec[] {
  return makeGraph(featureOutputs(config, layers)).parameters;
}

/** The hidden states of some layers; the graph behind them ends at the highest. */
function featureOutputs(config: BertConfig, layers: readonly number[]): Record<string, Tensor> {
  const { hiddenStates } = bert(withoutDropout(config), bertInputs());
  return Object.fromEntries(layers.map((layer) => [outputName(layer), hiddenStates[layer]]));
}

function outputName(layer: number): string {
  return `layer${layer}`;
}

/**
 * BERT as a source of features for other models, its weights left as they are (Devlin et al. 2019, section 5.3; after
 * ELMo, Peters et al. 2018): the hidden states of some layers, one beside the other.
 */
export class FeatureModel {
  /** Numbers in a row of features, W: the hidden size times the number of layers. */
  readonly width: number;
  readonly #layers: readonly number[];
  readonly #predictor: Predictor;

  private constructor(width: number, layers: readonly number[], predictor: Predictor) {
    this.width = width;
    this.#layers = layers;
    this.#predictor = predictor;
  }

  /** `layers`: from 0 to L, in the order in which they stand in a row. `parameters`: of `featureParameters`. */
  static async load(
    model: { readonly config: BertConfig; readonly layers: readonly number[]; readonly parameters: NamedParameters },
    executor: Executor,
  ): Promise<FeatureModel> {
    const { config, layers, parameters } = model;
    const predictor = await Predictor.load(featureOutputs(config, layers), parameters, executor, { frozen: true });
    return new FeatureModel(config.hiddenSize * layers.length, layers, predictor);
  }

  /**
   * The features of each sequence, [S, W] without pooling, else [W]; the same bits whatever else is in the call. Throws
   * as `Predictor.run` does.
   */
  async features(sequences: readonly Sequence[], form: FeatureForm, control?: Control): Promise<Float32Array[]> {
    const results: Float32Array[] = new Array(sequences.length);
    const read = (outputs: Readonly<Record<string, Value>>, batch: Int32Array) => {
      const states = this.#layers.map((layer) => outputs[outputName(layer)]); // each [T, D]
      let start = 0;
      for (const i of batch) {
        const end = start + sequences[i].ids.length;
        results[i] = formed(states, { start, end }, form);
        start = end;
      }
    };
    await this.#predictor.run(sequences, read, control);
    return results;
  }

  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }
}

/** The features of the sequence whose tokens are the rows [start, end) of the hidden states [T, D]. */
function formed(
  states: readonly Value[],
  { start, end }: { start: number; end: number },
  { pooling, normalize = false }: FeatureForm,
): Float32Array {
  const width = states.length * states[0].shape[1];
  const rows = sideBySide(states, start, pooling === "cls" ? start + 1 : end); // [S, W], or the one row that counts
  const result = pooling === "none" ? rows : pool(rows, width, pooling);
  if (normalize) normalizeRows(result, width);
  return result;
}

/** Copies the rows [start, end) of matrices [T, D], one beside the other. */
function sideBySide(matrices: readonly Value[], start: number, end: number): Float32Array {
  const [, D] = matrices[0].shape;
  const width = matrices.length * D;
  const result = new Float32Array((end - start) * width);
  matrices.forEach(({ data }, i) => {
    for (let row = start; row < end; row++) {
      result.set(data.subarray(row * D, (row + 1) * D), (row - start) * width + i * D);
    }
  });
  return result;
}
