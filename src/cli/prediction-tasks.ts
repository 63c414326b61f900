import { Option } from "commander";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { fillMasks } from "../tasks/fill-mask.ts";
import { openMaskedLanguageModel } from "../tasks/masked-language-model.node.ts";
import type { Purpose } from "../tasks/model-folder.node.ts";
import { openNextSentenceModel } from "../tasks/next-sentence.node.ts";
import { nextWords } from "../tasks/next-word.ts";
import { pseudoLogLikelihoods } from "../tasks/pseudo-log-likelihood.ts";
import type { Answers } from "../tasks/task-pipeline.ts";
import { TASKS } from "../tasks/task-table.node.ts";
import type { TextInput } from "../tasks/text-or-pair.ts";
import { commaSeparated, positiveInteger } from "./options.ts";

/** Options that only some tasks have. */
export interface TaskOptions {
  readonly topK?: number;
  readonly targets?: readonly string[];
}

const topK = (what: string) => new Option("--top-k <n>", what).argParser(positiveInteger);
const targets = () =>
  new Option("--targets <words>", "fill masks with these words only: a,b,c").argParser(commaSeparated);

/** A model, opened for a task. */
export interface OpenTask {
  /** What the command prints for each input, beside the input itself. */
  readonly answer: (inputs: readonly TextInput[], signal: AbortSignal) => Promise<Answers<object>>;
  readonly dispose: () => Promise<void>;
}

/** How `cloze predict` does a task. */
export interface TaskRow {
  /** Whether it is what a model was made for. */
  readonly isPurpose?: (purpose: Purpose) => boolean;
  /** Whether its inputs are pairs of texts. */
  readonly pairs: "never" | "optional" | "always";
  /** Columns of tables that hold the texts if no others are named. */
  readonly columns?: { readonly textColumn: string; readonly pairColumn: string };
  /** Options of its own. */
  readonly options: readonly Option[];
  readonly open: (folder: string, options: OnnxOptions & TaskOptions) => Promise<OpenTask>;
}

export const PREDICTION_TASKS = {
  "text-classification": {
    isPurpose: TASKS["text-classification"].isPurpose,
    pairs: "optional",
    options: [],
    async open(folder, options) {
      const classifier = await TASKS["text-classification"].open(folder, options);
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await classifier.answer(inputs, { signal });
          return { results: results.map((row) => labelled(row, classifier.context.labels)), truncated };
        },
        dispose: () => classifier.dispose(),
      };
    },
  },
  "fill-mask": {
    isPurpose: ({ architecture }) => architecture === "BertForMaskedLM" || architecture === "BertForPreTraining",
    pairs: "never",
    options: [topK("candidates for a mask (default: 5)"), targets()],
    async open(folder, { topK, targets, ...options }) {
      const model = await openMaskedLanguageModel(folder, options);
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await fillMasks(model, textsOf(inputs), { top_k: topK, targets, signal });
          return { results: results.map((masks) => ({ masks })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  },
  "next-word": {
    pairs: "never",
    options: [topK("words (default: 5)")],
    async open(folder, { topK, ...options }) {
      const model = await openMaskedLanguageModel(folder, options);
      const predict = nextWords(model);
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await predict(textsOf(inputs), { top_k: topK, signal });
          return { results: results.map((words) => ({ words })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  },
  "next-sentence": {
    isPurpose: ({ architecture }) => architecture === "BertForNextSentencePrediction",
    pairs: "always",
    options: [],
    async open(folder, options) {
      const model = await openNextSentenceModel(folder, options);
      return {
        answer: (inputs, signal) =>
          model.judge(
            inputs.map(({ text, pair = "" }) => ({ text, text_pair: pair })),
            { signal },
          ),
        dispose: () => model.dispose(),
      };
    },
  },
  "pseudo-log-likelihood": {
    pairs: "never",
    options: [],
    async open(folder, options) {
      const model = await openMaskedLanguageModel(folder, options);
      return {
        answer: async (inputs, signal) => ({
          results: await pseudoLogLikelihoods(model, textsOf(inputs), { signal }),
          truncated: 0,
        }),
        dispose: () => model.dispose(),
      };
    },
  },
} as const satisfies Record<string, TaskRow>;

export type PredictionTask = keyof typeof PREDICTION_TASKS;

export const PREDICTION_TASK_NAMES = Object.keys(PREDICTION_TASKS) as readonly PredictionTask[];

/** The task that a model was made for by its config.json; a classifier's where that says nothing. */
export function taskFor(purpose: Purpose): PredictionTask {
  const isIts = (name: PredictionTask) => rowOf(name).isPurpose?.(purpose) ?? false;
  return PREDICTION_TASK_NAMES.find(isIts) ?? "text-classification";
}

export function rowOf(name: PredictionTask): TaskRow {
  return PREDICTION_TASKS[name];
}

function textsOf(inputs: readonly TextInput[]): string[] {
  return inputs.map(({ text }) => text);
}

function labelled(probabilities: Float32Array, labels: readonly string[]) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return {
    label: labels[best],
    score: probabilities[best],
    scores: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]])),
  };
}
