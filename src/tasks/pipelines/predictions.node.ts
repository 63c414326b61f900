import { z } from "zod";
import type { ExecutorOptions } from "../../executors/executor.node.ts";
import { purposeOf } from "../folder/model-folder.node.ts";
import { rerankInputs } from "../readers/rerank-inputs.node.ts";
import { pairInputs, singleTextInputs } from "../readers/text-inputs.node.ts";
import { type Prediction, prediction } from "../run/prediction.ts";
import { USUAL_TOP_K } from "../run/top-k.ts";
import { TASKS, type TaskName, taskOfFolder } from "../task-table.node.ts";
import { fillMasks } from "../words/fill-mask.ts";
import { openMaskedLanguageModel } from "../words/masked-language-model.node.ts";
import { openNextSentenceModel } from "../words/next-sentence.node.ts";
import { nextWords } from "../words/next-word.ts";
import { pseudoLogLikelihoods } from "../words/pseudo-log-likelihood.ts";
import { rerankTexts } from "./rerank.ts";
import { openReranker, openSimilarityModel } from "./sequence-classifier.node.ts";
import { openEntailmentModel } from "./zero-shot.node.ts";
import { classifyByEntailment } from "./zero-shot.ts";

const topK = z.int().min(1).default(USUAL_TOP_K);

/** All that a model can be asked: what it was fine-tuned for, other uses of such models, and what pre-trained ones know. */
export const PREDICTIONS = {
  "text-classification": TASKS["text-classification"].prediction,
  "multi-label-classification": TASKS["multi-label-classification"].prediction,
  regression: TASKS.regression.prediction,
  "token-classification": TASKS["token-classification"].prediction,
  "question-answering": TASKS["question-answering"].prediction,
  "multiple-choice": TASKS["multiple-choice"].prediction,

  "zero-shot-classification": prediction({
    inputs: singleTextInputs,
    settings: z.object({
      candidateLabels: z.array(z.string()).optional().describe("labels to choose from"),
      hypothesisTemplate: z
        .string()
        .optional()
        .describe('what is asked for each label (default: "This example is {}.")'),
      multiLabel: z.boolean().default(false).describe("any number of the labels may apply"),
    }),
    async open(folder, options: ExecutorOptions, { candidateLabels = [], hypothesisTemplate, multiLabel }) {
      const model = await openEntailmentModel(folder, options);
      const chosen = { hypothesis_template: hypothesisTemplate, multi_label: multiLabel };
      return {
        async answer(texts, { signal }) {
          const { results, truncated } = await classifyByEntailment(model, texts, candidateLabels, {
            ...chosen,
            signal,
          });
          return { results: results.map(({ labels, scores }) => ({ labels, scores })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  }),

  "sentence-similarity": prediction({
    inputs: pairInputs,
    settings: z.object({}),
    async open(folder, options: ExecutorOptions) {
      const model = await openSimilarityModel(folder, options);
      return {
        async answer(pairs, control) {
          const inputs = pairs.map(({ text, text_pair: pair }) => ({ text, pair }));
          const { results, truncated } = await model.answer(inputs, control);
          return { results: results.map((score) => ({ score })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  }),

  rerank: prediction({
    inputs: rerankInputs,
    settings: z.object({
      topK: z.int().min(1).optional().describe("texts, best first (default: all)"),
      label: z.string().optional().describe("label of a classifier that says that a text goes with the query"),
    }),
    async open(folder, options: ExecutorOptions, { topK, label }) {
      const model = await openReranker(folder, options);
      const chosen = { top_k: topK, label, return_text: true };
      return {
        async answer(inputs, { signal }) {
          const { results, truncated } = await rerankTexts(model, inputs, { ...chosen, signal });
          return { results: results.map((ranked) => ({ results: ranked })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  }),

  "fill-mask": prediction({
    inputs: singleTextInputs,
    settings: z.object({
      topK: topK.describe("candidates for a mask, best first"),
      targets: z.array(z.string()).optional().describe("fill masks with these words only: a,b,c"),
    }),
    async open(folder, options: ExecutorOptions, { topK, targets }) {
      const model = await openMaskedLanguageModel(folder, options);
      return {
        async answer(texts, { signal }) {
          const { results, truncated } = await fillMasks(model, texts, { top_k: topK, targets, signal });
          return { results: results.map((masks) => ({ masks })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  }),

  "next-word": prediction({
    inputs: singleTextInputs,
    settings: z.object({ topK: topK.describe("words, best first") }),
    async open(folder, options: ExecutorOptions, { topK }) {
      const model = await openMaskedLanguageModel(folder, options);
      const predict = nextWords(model);
      return {
        async answer(texts, { signal }) {
          const { results, truncated } = await predict(texts, { top_k: topK, signal });
          return { results: results.map((words) => ({ words })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  }),

  "next-sentence": prediction({
    inputs: pairInputs,
    settings: z.object({}),
    async open(folder, options: ExecutorOptions) {
      const model = await openNextSentenceModel(folder, options);
      return { answer: (pairs, control) => model.judge(pairs, control), dispose: () => model.dispose() };
    },
  }),

  "pseudo-log-likelihood": prediction({
    inputs: singleTextInputs,
    settings: z.object({}),
    async open(folder, options: ExecutorOptions) {
      const model = await openMaskedLanguageModel(folder, options);
      return {
        answer: async (texts, control) => ({
          results: await pseudoLogLikelihoods(model, texts, control),
          truncated: 0,
        }),
        dispose: () => model.dispose(),
      };
    },
  }),
} as const satisfies Record<TaskName, Prediction<ExecutorOptions>> & Record<string, Prediction<ExecutorOptions>>;

export type PredictionTask = keyof typeof PREDICTIONS;

export const PREDICTION_TASKS = Object.keys(PREDICTIONS) as readonly PredictionTask[];

/** The task that a folder's model was made for; a classifier's where neither its config.json nor its weights tell. */
export async function predictionOf(folder: string): Promise<PredictionTask> {
  const { architecture } = await purposeOf(folder);
  switch (architecture) {
    case "BertForMaskedLM":
    case "BertForPreTraining":
      return "fill-mask";
    case "BertForNextSentencePrediction":
      return "next-sentence";
    default:
      return (await taskOfFolder(folder)) ?? "text-classification";
  }
}
