import type { CallForm } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { answerCall, isList } from "../run/task-pipeline.ts";
import { requireText, TEXT_FORMS, type TextOrPair, toTextInput } from "../run/text-or-pair.ts";
import { requireTopK } from "../run/top-k.ts";
import type { SequenceClassifier } from "./sequence-classifier.ts";

export type ClassificationInput = TextOrPair;

export interface LabelScore {
  readonly label: string;
  /** Probability, 0 to 1: of one label among all, or of each alone where several may apply; of a regression the number. */
  readonly score: number;
}

type One = Control & { readonly top_k?: 1 };
type Several = Control & { readonly top_k: number | null };

/**
 * Labels with their scores, best first: `top_k` of them (1 by default; null for all), as transformers.js gives.
 */
export interface TextClassificationPipeline {
  (text: ClassificationInput, options?: One | Several): Promise<LabelScore[]>;
  /** One for each text. */
  (texts: readonly ClassificationInput[], options?: One): Promise<LabelScore[]>;
  (texts: readonly ClassificationInput[], options: Several): Promise<LabelScore[][]>;
  readonly labels: readonly string[];
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

const FORM: CallForm<Pick<Several, "top_k">> = { ...TEXT_FORMS.either, options: { top_k: true } };

/**
 *     const classify = classificationPipeline(classifier);
 *     await classify("Win a prize now!"); // [{ label: "spam", score: 0.99 }]
 */
export function classificationPipeline(classifier: SequenceClassifier): TextClassificationPipeline {
  const { labels } = classifier.context;
  const best = (scores: Float32Array | number, count: number): LabelScore[] =>
    Array.from(typeof scores === "number" ? [scores] : scores, (score, i) => ({ label: labels[i], score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, count);

  function classify(text: ClassificationInput, options?: One | Several): Promise<LabelScore[]>;
  function classify(texts: readonly ClassificationInput[], options?: One): Promise<LabelScore[]>;
  function classify(texts: readonly ClassificationInput[], options: Several): Promise<LabelScore[][]>;
  async function classify(input: ClassificationInput | readonly ClassificationInput[], options: One | Several = {}) {
    const { top_k = 1, signal } = options;
    const results = await answerCall(FORM, input, options, async (chunk) => {
      if (top_k !== null) requireTopK(top_k);
      const texts = chunk.map(toTextInput);
      for (const { text, pair } of texts) {
        requireText("a text", text);
        if (pair !== undefined) requireText("a second text", pair);
      }
      const { results } = await classifier.answer(texts, { signal });
      return results.map((row) => best(row, top_k ?? labels.length));
    });
    return isList(input) && top_k === 1 ? results.flat() : results;
  }
  return Object.assign(classify, { labels, dispose: () => classifier.dispose() });
}
