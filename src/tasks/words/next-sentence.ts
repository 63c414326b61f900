import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import type { Executor } from "../../graph/executor.ts";
import { makeGraph, type ParameterSpec } from "../../graph/graph.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import { nextSentence } from "../../heads/next-sentence.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Control } from "../run/control.ts";
import { maxLengthOf } from "../run/max-length.ts";
import { Predictor, rowOf } from "../run/predictor.ts";
import { softmax } from "../run/softmax.ts";
import { type Answers, makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { requirePair, type SentencePair, TEXT_FORMS } from "../run/text-or-pair.ts";

export interface NextSentenceScore {
  /** Probability that the second text follows the first, 0 to 1. */
  readonly score: number;
}

export type NextSentencePipeline = TaskPipeline<SentencePair, NextSentenceScore>;

/** Names and shapes of the weights of BertForNextSentencePrediction. */
export function nextSentenceParameters(config: BertConfig): readonly ParameterSpec[] {
  return makeGraph({ logits: nextSentence(config).logits }).parameters;
}

/** A pre-trained BERT as it was trained: does the second text follow the first? (Devlin et al. 2019, section 3.1) */
export class NextSentenceModel {
  readonly #tokenizer: BertTokenizer;
  readonly #maxLength: number;
  readonly #predictor: Predictor;

  private constructor(tokenizer: BertTokenizer, maxLength: number, predictor: Predictor) {
    this.#tokenizer = tokenizer;
    this.#maxLength = maxLength;
    this.#predictor = predictor;
  }

  static async load(
    model: { readonly config: BertConfig; readonly parameters: NamedParameters; readonly tokenizer: BertTokenizer },
    executor: Executor,
  ): Promise<NextSentenceModel> {
    const { config, parameters, tokenizer } = model;
    const { logits } = nextSentence(withoutDropout(config));
    const predictor = await Predictor.load({ logits }, parameters, executor, { frozen: true });
    return new NextSentenceModel(tokenizer, maxLengthOf(model), predictor);
  }

  /**
   * Judges pairs, the longer text of which gives way where both are too long together. Throws as `Predictor.run` does.
   */
  async judge(pairs: readonly SentencePair[], control?: Control): Promise<Answers<NextSentenceScore>> {
    const encodings = pairs.map(({ text, text_pair: pair }) =>
      this.#tokenizer.encode(text, { pair, maxLength: this.#maxLength }),
    );
    const results: NextSentenceScore[] = new Array(pairs.length);
    await this.#predictor.run(
      encodings,
      ({ logits }, batch) => {
        batch.forEach((i, row) => {
          results[i] = { score: softmax(rowOf(logits, row))[0] }; // label 0 is "follows"
        });
      },
      control,
    );
    return { results, truncated: encodings.filter(({ truncated }) => truncated).length };
  }

  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }
}

/** `await follows({ text: "It rains.", text_pair: "Take an umbrella." })` gives `{ score: 0.98 }`. */
export function nextSentencePipeline(model: NextSentenceModel): NextSentencePipeline {
  return makePipeline(
    { ...TEXT_FORMS.pair, options: {} },
    async (pairs, control) => {
      pairs.forEach(requirePair);
      return model.judge(pairs, control);
    },
    () => model.dispose(),
  );
}
