import { requireCall } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { inChunks, isList } from "../run/task-pipeline.ts";
import { requireText, TEXT_FORMS, type TextInput, type TextOrPair, toTextInput } from "../run/text-or-pair.ts";
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
    requireCall({ ...TEXT_FORMS.either, options: { top_k: true } }, input, options);
    const { top_k = 1, ...control } = options;
    if (top_k !== null) requireTopK(top_k);
    const single = !isList(input);
    const texts: TextInput[] = (single ? [input] : input).map(toTextInput);
    const answer = async (chunk: readonly TextInput[]) => {
      for (const { text, pair } of chunk) {
        requireText("a text", text);
        if (pair !== undefined) requireText("a second text", pair);
      }
      const { results } = await classifier.answer(chunk, { signal: control.signal });
      return results.map((row) => best(row, top_k ?? labels.length));
    };
    const results = await inChunks(texts, answer, control);
    if (single) return results[0];
    return top_k === 1 ? results.flat() : results;
  }
  return Object.assign(classify, { labels, dispose: () => classifier.dispose() });
}
