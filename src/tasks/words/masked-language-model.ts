import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import { joinSequences, type Sequence } from "../../data/sequences.ts";
import { type Executor, type Value, vector } from "../../graph/executor.ts";
import { makeGraph, type ParameterSpec } from "../../graph/graph.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import { maskedLm } from "../../heads/masked-lm.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Control } from "../run/control.ts";
import { maxLengthOf } from "../run/max-length.ts";
import { Predictor, rowOf } from "../run/predictor.ts";

/** A sequence with the places, one or more, whose tokens are asked for. */
export interface MaskedInput extends Sequence {
  readonly positions: readonly number[];
}

/** Names and shapes of the weights of BertForMaskedLM. */
export function maskedLmParameters(config: BertConfig): readonly ParameterSpec[] {
  return makeGraph({ logits: maskedLm(config).logits }).parameters;
}

/** Masks of a batch at most, unless one sequence has more: their logits [M, V] are some 30 MB for 30,000 tokens. */
const MOST_MASKS = 256;

/** A pre-trained BERT as it was trained: asked for the tokens behind masks (Devlin et al. 2019, section 3.1). */
export class MaskedLanguageModel {
  readonly tokenizer: BertTokenizer;
  /** Tokens that it takes, special ones included. */
  readonly maxLength: number;
  readonly #predictor: Predictor;

  private constructor(tokenizer: BertTokenizer, maxLength: number, predictor: Predictor) {
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.#predictor = predictor;
  }

  static async load(
    model: { readonly config: BertConfig; readonly parameters: NamedParameters; readonly tokenizer: BertTokenizer },
    executor: Executor,
  ): Promise<MaskedLanguageModel> {
    const { config, parameters, tokenizer } = model;
    const { logits } = maskedLm(withoutDropout(config));
    const predictor = await Predictor.load({ logits }, parameters, executor, { frozen: true });
    return new MaskedLanguageModel(tokenizer, maxLengthOf(model), predictor);
  }

  /**
   * What `read` makes of the logits [V] at each position of each sequence; logits are not kept, for they are many. A
   * sequence gets the same bits alone and beside others. Throws as `Predictor.run` does.
   */
  async predict<R>(
    sequences: readonly MaskedInput[],
    read: (logits: Value["data"], sequence: number, nth: number) => R,
    control: Control = {},
  ): Promise<R[][]> {
    const results: R[][] = new Array(sequences.length);
    const most = sequences.reduce((largest, { positions }) => Math.max(largest, positions.length), 1);
    const maxSequences = Math.max(1, Math.floor(MOST_MASKS / most));
    await this.#predictor.run(
      sequences,
      ({ logits }, batch) => {
        let row = 0;
        for (const i of batch) results[i] = sequences[i].positions.map((_, nth) => read(rowOf(logits, row++), i, nth));
      },
      { ...control, inputs: maskedInputs, maxSequences },
    );
    return results;
  }

  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }
}

function maskedInputs(batch: readonly MaskedInput[]): Record<string, Value> {
  const positions: number[] = [];
  let start = 0;
  for (const sequence of batch) {
    for (const position of sequence.positions) positions.push(start + position);
    start += sequence.ids.length;
  }
  // A product of one row alone may take another kernel than one of several, and round otherwise.
  if (positions.length === 1) positions.push(positions[0]);
  return { ...joinSequences(batch), maskedPositions: vector(Int32Array.from(positions)) }; // [M]
}
