import { ClozeError } from "../../base/errors.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { requireTopK } from "../run/top-k.ts";
import type { SequenceClassifier } from "./sequence-classifier.ts";

export interface RerankInput {
  readonly query: string;
  readonly texts: readonly string[];
}

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

/**
 * Texts by how well they go with a query, which a model of pairs judges one by one (a cross-encoder; Nogueira & Cho 2019):
 *
 *     await rerank({ query: "capital of France", texts: ["Rome", "Paris"] }); // [{ index: 1, score: 0.9 }, ...]
 */
export function rerankPipeline(model: SequenceClassifier): RerankPipeline {
  const { labels } = model.context;
  return makePipeline(
    async (inputs, { signal, top_k, return_text = false, label }) => {
      if (top_k !== undefined) requireTopK(top_k);
      const index = relevantLabel(labels, label);
      const pairs = inputs.flatMap(({ query, texts }) => texts.map((text) => ({ text: query, pair: text })));
      const { results: answers, truncated } = await model.answer(pairs, { signal });
      const scores = answers.map((answer) => (typeof answer === "number" ? answer : answer[index]));
      let first = 0;
      const results = inputs.map(({ texts }) => {
        const own = scores.slice(first, first + texts.length);
        first += texts.length;
        return own
          .map((score, i) => ({ index: i, score, ...(return_text && { text: texts[i] }) }))
          .sort((a, b) => b.score - a.score)
          .slice(0, top_k);
      });
      return { results, truncated };
    },
    () => model.dispose(),
  );
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
