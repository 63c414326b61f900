import { ClozeError } from "../base/errors.ts";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import type { Control } from "./text-classification.ts";
import { TextClassifier } from "./text-classifier.node.ts";

/** A text, or a pair of them under Hugging Face's names. */
export type ClassificationInput = string | { readonly text: string; readonly text_pair?: string };

export interface LabelScore {
  readonly label: string;
  /** Probability, 0 to 1. */
  readonly score: number;
}

/** Labels with their probabilities, best first: `top_k` of them (1 by default; null for all), as transformers.js gives. */
export interface TextClassificationPipeline {
  (text: ClassificationInput, options?: Control & { readonly top_k?: number | null }): Promise<LabelScore[]>;
  /** One for each text. */
  (texts: readonly ClassificationInput[], options?: Control & { readonly top_k?: 1 }): Promise<LabelScore[]>;
  (
    texts: readonly ClassificationInput[],
    options: Control & { readonly top_k: number | null },
  ): Promise<LabelScore[][]>;
  readonly labels: readonly string[];
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

/** Makes each task's pipeline from a model folder. */
const PIPELINES = {
  "text-classification": async (folder: string, options: OnnxOptions): Promise<TextClassificationPipeline> => {
    const classifier = await TextClassifier.open(folder, options);
    return classificationPipeline(classifier);
  },
} as const;

export type PipelineTask = keyof typeof PIPELINES;

/**
 * Opens a model folder for a task; the result is a function, as in transformers.js:
 *
 *     const classify = await pipeline("text-classification", "model");
 *     await classify("Win a prize now!"); // [{ label: "spam", score: 0.99 }]
 *
 * Throws OPTION_INVALID for an unknown task and the errors of the model folder.
 */
export async function pipeline<T extends PipelineTask>(
  task: T,
  folder: string,
  options?: OnnxOptions,
): Promise<Awaited<ReturnType<(typeof PIPELINES)[T]>>>;
export async function pipeline(task: PipelineTask, folder: string, options: OnnxOptions = {}) {
  if (Object.hasOwn(PIPELINES, task)) return PIPELINES[task](folder, options);
  throw new ClozeError("OPTION_INVALID", {
    problem: `there is no pipeline "${task}"`,
    expected: Object.keys(PIPELINES).join(", "),
  });
}

/** Texts between two progress calls. */
const CHUNK = 256;

function classificationPipeline(classifier: TextClassifier): TextClassificationPipeline {
  const { labels } = classifier;
  const best = (probabilities: Float32Array, count: number): LabelScore[] =>
    Array.from(probabilities, (score, i) => ({ label: labels[i], score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, count);

  async function classify(
    input: ClassificationInput | readonly ClassificationInput[],
    { top_k = 1, signal, onProgress }: Control & { readonly top_k?: number | null } = {},
  ) {
    const single = isSingle(input);
    const texts = (single ? [input] : input).map((item) =>
      typeof item === "string" ? { text: item } : { text: item.text, pair: item.text_pair },
    );
    const results: LabelScore[][] = [];
    for (let start = 0; start < texts.length; start += CHUNK) {
      const { probabilities } = await classifier.classify(texts.slice(start, start + CHUNK), { signal });
      for (const row of probabilities) results.push(best(row, top_k ?? labels.length));
      onProgress?.({ done: results.length, total: texts.length });
    }
    if (single) return results[0];
    return top_k === 1 ? results.flat() : results;
  }
  return Object.assign(classify as TextClassificationPipeline, { labels, dispose: () => classifier.dispose() });
}

function isSingle(input: ClassificationInput | readonly ClassificationInput[]): input is ClassificationInput {
  return typeof input === "string" || !Array.isArray(input);
}
