import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";
import type { Control } from "../run/control.ts";
import { type Answers, makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { type RerankInput, requireText } from "../run/text-or-pair.ts";
import { requireTopK } from "../run/top-k.ts";
import type { SequenceClassifier } from "./sequence-classifier.ts";

export interface RerankedText {
  /** Its place among the texts that were given, from 0. */
  readonly index: number;
  /** The number of a regression, or the probability of a label. */
  readonly score: number;
  /** With `return_text`. */
  readonly text?: string;
}

export interface RerankOptions {
  /** Results at most, the best. Default: all. */
  readonly top_k?: number;
  /** Default false. */
  readonly return_text?: boolean;
  /** The label of a classifier that says that a text goes with the query. Default: "1" or "entailment", else the last. */
  readonly label?: string;
}

export type RerankPipeline = TaskPipeline<RerankInput, RerankedText[], RerankOptions>;

const FORM = {
  input: z.strictObject({ query: z.string(), texts: z.array(z.string()) }),
  called: "{ query, texts }",
  options: { top_k: true, return_text: true, label: true },
} as const;

/**
 * Texts by how well they go with a query, which a model of pairs judges one by one (a cross-encoder; Nogueira & Cho 2019):
 *
 *     await rerank({ query: "capital of France", texts: ["Rome", "Paris"] }); // [{ index: 1, score: 0.9 }, ...]
 */
export function rerankPipeline(model: SequenceClassifier): RerankPipeline {
  return makePipeline<RerankInput, RerankedText[], RerankOptions>(
    FORM,
    async (inputs, options) => {
      for (const { query, texts } of inputs) {
        requireText("a query", query);
        for (const text of texts) requireText("a text", text);
      }
      return rerankTexts(model, inputs, options);
    },
    () => model.dispose(),
  );
}

/**
 * What the pipeline gives for each query, without those texts that are empty; each text that had to be cut, or its query for
 * it, counts. Throws OPTION_INVALID and the errors of `TaskModel.answer`.
 */
export async function rerankTexts(
  model: SequenceClassifier,
  inputs: readonly RerankInput[],
  { signal, top_k, return_text = false, label }: RerankOptions & Control = {},
): Promise<Answers<RerankedText[]>> {
  if (top_k !== undefined) requireTopK(top_k);
  const relevant = relevantLabel(model.context.labels, label);
  const candidates = inputs.map(({ query, texts }) =>
    texts.map((text, index) => ({ query, text, index })).filter(({ text }) => hasText(text)),
  );
  const pairs = candidates.flat().map(({ query, text }) => ({ text: query, pair: text }));
  const { results: answers, truncated } = await model.answer(pairs, { signal });
  const scores = answers.map((answer) => (typeof answer === "number" ? answer : answer[relevant]));
  let first = 0;
  const results = candidates.map((texts) => {
    const own = scores.slice(first, first + texts.length);
    first += texts.length;
    return texts
      .map(({ index, text }, i) => ({ index, score: own[i], ...(return_text && { text }) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, top_k);
  });
  return { results, truncated };
}

/** Throws OPTION_INVALID for a label that the model does not have. */
function relevantLabel(labels: readonly string[], label: string | undefined): number {
  if (label === undefined) {
    const usual = labels.findIndex((name) => name === "1" || /^entail/i.test(name));
    return usual >= 0 ? usual : labels.length - 1;
  }
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new ClozeError("OPTION_INVALID", {
    problem: "the model has no such label",
    expected: labels.join(", "),
    received: JSON.stringify(label),
  });
}
