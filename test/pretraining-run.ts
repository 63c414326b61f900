import { Random } from "../src/base/random.ts";
import { type BertConfig, presetConfig, withoutDropout } from "../src/bert/config.ts";
import { joinSequences, type Sequence } from "../src/data/sequences.ts";
import { type DifferentiateOptions, parameterGradients } from "../src/graph/differentiate.ts";
import { type Executable, type Executor, vector } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import type { Values } from "./operation-graphs.ts";

/** BERT with both heads, no size of which is a multiple of any kernel's block; dropout at BERT's rates. */
export const SMALL: BertConfig = {
  ...presetConfig("tiny", 99),
  layers: 5,
  hiddenSize: 39,
  heads: 3,
  intermediateSize: 37,
};

/** With more words than are computed at once. */
export const WIDE: BertConfig = { ...SMALL, vocabSize: 2085 };

/** The losses and every gradient of pre-training. */
export function trainingGraph(config: BertConfig, options?: DifferentiateOptions): Graph {
  const { masked, nextSentence, loss } = pretraining(config);
  const accuracies = { maskedAccuracy: masked.accuracy, nextSentenceAccuracy: nextSentence.accuracy };
  return makeGraph({ loss, ...accuracies, ...parameterGradients(loss, options) });
}

/** The logits of both heads, nothing dropped. */
export function inferenceGraph(config: BertConfig): Graph {
  const { masked, nextSentence } = pretraining(withoutDropout(config));
  return makeGraph({ words: masked.logits, nextSentence: nextSentence.logits });
}

/** Loads a graph with weights that are always the same, large enough to make a difference. */
export function loadGraph(executor: Executor, graph: Graph, frozen = false): Promise<Executable> {
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.2, 7);
  return executor.load(graph, parameters, { frozen });
}

/** Random sentences of these lengths. */
export function makeSentences({ vocabSize }: BertConfig, lengths: readonly number[]): Sequence[] {
  return lengths.map((length, i) => {
    const random = Random.of(i, "sentence");
    return {
      ids: Int32Array.from({ length }, () => random.below(vocabSize)),
      typeIds: Int32Array.from({ length }, (_, place) => Number(place > length / 2)),
    };
  });
}

/** A batch in which every third token is masked, or every token. */
export function pretrainingBatch(config: BertConfig, sentences: readonly Sequence[], { maskAll = false } = {}): Values {
  const random = Random.of(sentences.length, "labels");
  const inputs = joinSequences(sentences);
  const masked = Array.from(inputs.ids.data.keys()).filter((place) => maskAll || place % 3 === 0);
  return {
    ...inputs,
    maskedPositions: vector(Int32Array.from(masked)),
    maskedLabels: vector(Int32Array.from(masked, () => random.below(config.vocabSize))),
    maskedWeights: vector(new Float32Array(masked.length).fill(1 / masked.length)),
    nextSentence: vector(Int32Array.from(sentences, () => random.below(2))),
    nextSentenceWeights: vector(new Float32Array(sentences.length).fill(1 / sentences.length)),
  };
}
