import type { BertConfig } from "../../bert/config.ts";
import { withoutDropout } from "../../bert/config.ts";
import type { MaskedSequence } from "../../data/pretraining-batches.ts";
import { joinSequences } from "../../data/sequences.ts";
import { type Executor, type Value, vector } from "../../graph/executor.ts";
import { makeGraph, type ParameterSpec } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operations.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import { maskedLm } from "../../heads/masked-lm.ts";
import { pretraining } from "../../heads/pretraining.ts";
import type { Evaluation, Trainable } from "../../train/trainable.ts";
import type { Control } from "../run/control.ts";
import { Predictor } from "../run/predictor.ts";

/**
 * What is learnt: the hidden tokens alone (BertForMaskedLM), or also what pairs are labelled with, whether B follows A or
 * whether they are in order (BertForPreTraining).
 */
export const OBJECTIVES = ["pretraining", "masked-lm"] as const;
export type Objective = (typeof OBJECTIVES)[number];

/** The loss of an objective and the figures beside it. */
interface Graphs {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

function graphsOf(config: BertConfig, objective: Objective): Graphs {
  if (objective === "masked-lm") {
    const { loss, accuracy } = maskedLm(config);
    return { loss, metrics: { maskedLoss: loss, maskedAccuracy: accuracy } };
  }
  const { loss, masked, nextSentence } = pretraining(config);
  return {
    loss,
    metrics: {
      maskedLoss: masked.loss,
      maskedAccuracy: masked.accuracy,
      nextSentenceLoss: nextSentence.loss,
      nextSentenceAccuracy: nextSentence.accuracy,
    },
  };
}

/** Names and shapes of the weights of BertForPreTraining or BertForMaskedLM. */
export function pretrainingParameters(config: BertConfig, objective: Objective): readonly ParameterSpec[] {
  return makeGraph({ loss: graphsOf(config, objective).loss }).parameters;
}

/** Pre-training on sequences with hidden tokens. */
export function trainablePretraining(config: BertConfig, objective: Objective): Trainable<MaskedSequence> {
  return {
    ...graphsOf(config, objective),
    length: ({ ids }) => ids.length,
    nameOf: ({ place }) => place,
    inputs: (part, batch) => pretrainingInputs(part, totalsOf(batch), objective),
  };
}

/** What the weights are shares of. */
interface Totals {
  readonly masked: number;
  readonly sequences: number;
}

function totalsOf(sequences: readonly MaskedSequence[]): Totals {
  return { masked: countMasked(sequences), sequences: sequences.length };
}

/** Each hidden token and each pair weighs as much as any other of all that the totals count. */
function pretrainingInputs(
  part: readonly MaskedSequence[],
  totals: Totals,
  objective: Objective,
): Record<string, Value> {
  const M = countMasked(part);
  const maskedPositions = new Int32Array(M); // [M]
  const maskedLabels = new Int32Array(M); // [M]
  let start = 0;
  let filled = 0;
  for (const { ids, positions, labels } of part) {
    for (let i = 0; i < positions.length; i++) {
      maskedPositions[filled] = start + positions[i];
      maskedLabels[filled++] = labels[i];
    }
    start += ids.length;
  }
  const inputs = {
    ...joinSequences(part),
    maskedPositions: vector(maskedPositions),
    maskedLabels: vector(maskedLabels),
    maskedWeights: vector(new Float32Array(M).fill(1 / totals.masked)),
  };
  if (objective === "masked-lm") return inputs;
  return {
    ...inputs,
    nextSentence: vector(Int32Array.from(part, ({ nextSentence }) => nextSentence ?? 0)),
    nextSentenceWeights: vector(new Float32Array(part.length).fill(1 / totals.sequences)),
  };
}

/** Hidden tokens of all sequences. */
export function countMasked(sequences: readonly MaskedSequence[]): number {
  return sequences.reduce((sum, { positions }) => sum + positions.length, 0);
}

/** Measures a model on masked sequences. */
export class PretrainingEvaluator {
  readonly #objective: Objective;
  readonly #predictor: Predictor;

  private constructor(objective: Objective, predictor: Predictor) {
    this.#objective = objective;
    this.#predictor = predictor;
  }

  /** `frozen`: the parameters will not change between two measurements. */
  static async load(
    model: { readonly config: BertConfig; readonly objective: Objective; readonly parameters: NamedParameters },
    executor: Executor,
    { frozen }: { readonly frozen: boolean },
  ): Promise<PretrainingEvaluator> {
    const { metrics } = graphsOf(withoutDropout(model.config), model.objective);
    const predictor = await Predictor.load(metrics, model.parameters, executor, { frozen });
    return new PretrainingEvaluator(model.objective, predictor);
  }

  /**
   * Loss, accuracy and perplexity over all hidden tokens, loss and accuracy over all pairs; the score is the masked-LM
   * accuracy. Throws the errors of `Predictor.run`.
   */
  async evaluate(sequences: readonly MaskedSequence[], control: Control = {}): Promise<Evaluation> {
    const sums: Record<string, number> = {};
    const add = (values: Readonly<Record<string, Value>>) => {
      for (const [name, { data }] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + data[0];
    };
    const totals = totalsOf(sequences);
    const inputs = (part: readonly MaskedSequence[]) => pretrainingInputs(part, totals, this.#objective);
    await this.#predictor.run(sequences, add, { inputs, ...control });
    const { maskedLoss, maskedAccuracy, ...pairs } = sums;
    return {
      score: maskedAccuracy,
      metrics: {
        sequences: totals.sequences,
        maskedTokens: totals.masked,
        maskedLoss,
        maskedAccuracy,
        perplexity: Math.exp(maskedLoss),
        ...pairs,
      },
    };
  }

  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }
}
