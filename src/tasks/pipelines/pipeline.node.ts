import { ClozeError } from "../../base/errors.ts";
import { requireKnown } from "../../base/require-known.ts";
import { EXECUTOR_OPTIONS, type ExecutorOptions } from "../../executors/executor.node.ts";
import { SHIPPED_MODEL } from "../folder/shipped-model.node.ts";
import { TASKS } from "../task-table.node.ts";
import { FeatureExtractor } from "../vectors/feature-extractor.node.ts";
import { featureExtractionPipeline } from "../vectors/feature-pipeline.node.ts";
import { fillMaskPipeline } from "../words/fill-mask.ts";
import { openMaskedLanguageModel } from "../words/masked-language-model.node.ts";
import { openNextSentenceModel } from "../words/next-sentence.node.ts";
import { nextSentencePipeline } from "../words/next-sentence.ts";
import { nextWordPipeline } from "../words/next-word.ts";
import { pseudoLogLikelihoodPipeline } from "../words/pseudo-log-likelihood.ts";
import { classificationPipeline } from "./classification-pipeline.ts";
import { multipleChoicePipeline } from "./multiple-choice-pipeline.ts";
import { questionPipeline } from "./question-pipeline.ts";
import { rerankPipeline } from "./rerank.ts";
import { openReranker, openSequenceClassifier, openSimilarityModel } from "./sequence-classifier.node.ts";
import { sentenceSimilarityPipeline } from "./similarity-pipeline.ts";
import { tokenClassificationPipeline } from "./token-pipeline.ts";
import { openZeroShotPipeline } from "./zero-shot.node.ts";

/** Makes each task's pipeline from a model folder. */
const PIPELINES = {
  "text-classification": async (folder: string, options: ExecutorOptions) =>
    classificationPipeline(await openSequenceClassifier(folder, options)),
  "zero-shot-classification": openZeroShotPipeline,
  "sentence-similarity": async (folder: string, options: ExecutorOptions) =>
    sentenceSimilarityPipeline(await openSimilarityModel(folder, options)),
  rerank: async (folder: string, options: ExecutorOptions) => rerankPipeline(await openReranker(folder, options)),
  "multiple-choice": async (folder: string, options: ExecutorOptions) =>
    multipleChoicePipeline(await TASKS["multiple-choice"].open(folder, options)),
  "question-answering": async (folder: string, options: ExecutorOptions) =>
    questionPipeline(await TASKS["question-answering"].open(folder, options)),
  "token-classification": async (folder: string, options: ExecutorOptions) =>
    tokenClassificationPipeline(await TASKS["token-classification"].open(folder, options)),
  "fill-mask": async (folder: string, options: ExecutorOptions) =>
    fillMaskPipeline(await openMaskedLanguageModel(folder, options)),
  "next-word": async (folder: string, options: ExecutorOptions) =>
    nextWordPipeline(await openMaskedLanguageModel(folder, options)),
  "next-sentence": async (folder: string, options: ExecutorOptions) =>
    nextSentencePipeline(await openNextSentenceModel(folder, options)),
  "pseudo-log-likelihood": async (folder: string, options: ExecutorOptions) =>
    pseudoLogLikelihoodPipeline(await openMaskedLanguageModel(folder, options)),
  "feature-extraction": async (folder: string, options: ExecutorOptions) =>
    featureExtractionPipeline(await FeatureExtractor.open(folder, options)),
} as const;

/** Other names that Hugging Face has for some. */
const ALIASES = { ner: "token-classification", "sentiment-analysis": "text-classification" } as const;

type Pipelines = typeof PIPELINES & { [A in keyof typeof ALIASES]: (typeof PIPELINES)[(typeof ALIASES)[A]] };

export type PipelineTask = keyof Pipelines;

/**
 * Opens a model folder for a task; the result is a function, as in transformers.js:
 *
 *     const classify = await pipeline("text-classification", "model");
 *     await classify("Win a prize now!"); // [{ label: "spam", score: 0.99 }]
 *
 * Without a folder it is the pre-trained English model that comes with the package, which has no labels for a classifier.
 * Throws OPTION_INVALID for an unknown task and the errors of the model folder.
 */
export async function pipeline<T extends PipelineTask>(
  task: T,
  folder?: string,
  options?: ExecutorOptions,
): Promise<Awaited<ReturnType<Pipelines[T]>>>;
export async function pipeline(task: PipelineTask, folder = SHIPPED_MODEL, options: ExecutorOptions = {}) {
  requireKnown(options, EXECUTOR_OPTIONS);
  const name = isAlias(task) ? ALIASES[task] : task;
  if (Object.hasOwn(PIPELINES, name)) return PIPELINES[name](folder, options);
  throw new ClozeError("OPTION_INVALID", {
    problem: `there is no pipeline "${task}"`,
    expected: Object.keys({ ...PIPELINES, ...ALIASES }).join(", "),
  });
}

function isAlias(task: PipelineTask): task is keyof typeof ALIASES {
  return Object.hasOwn(ALIASES, task);
}
