import { Option } from "commander";
import type { OnnxOptions } from "../executors/onnx/node.node.ts";
import { AGGREGATION_STRATEGIES, type AggregationStrategy } from "../tasks/definitions/entity-aggregation.ts";
import type { Choices } from "../tasks/definitions/multiple-choice.ts";
import type { Purpose } from "../tasks/folder/model-folder.node.ts";
import { choiceScores } from "../tasks/pipelines/multiple-choice-pipeline.ts";
import { answerQuestions } from "../tasks/pipelines/question-pipeline.ts";
import { findEntities } from "../tasks/pipelines/token-pipeline.ts";
import type { Answers } from "../tasks/run/task-pipeline.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";
import { indexOfMax } from "../tasks/run/top-k.ts";
import { TASKS } from "../tasks/task-table.node.ts";
import { fillMasks } from "../tasks/words/fill-mask.ts";
import { openMaskedLanguageModel } from "../tasks/words/masked-language-model.node.ts";
import { openNextSentenceModel } from "../tasks/words/next-sentence.node.ts";
import { nextWords } from "../tasks/words/next-word.ts";
import { pseudoLogLikelihoods } from "../tasks/words/pseudo-log-likelihood.ts";
import { choiceColumns } from "./choice-stream.ts";
import { commaSeparated, nonNegativeInteger, positiveInteger, ratio } from "./options.ts";
import type { AskedQuestion } from "./question-stream.ts";
import { schemaOptions } from "./schema-options.ts";

/** Options that only some tasks have. */
export interface TaskOptions {
  readonly topK?: number;
  readonly aggregationStrategy?: AggregationStrategy;
  readonly stride?: number;
  readonly targets?: readonly string[];
  readonly threshold?: number;
  readonly maxAnswerLength?: number;
  readonly maxQuestionLength?: number;
}

const topK = () =>
  new Option("--top-k <n>", "candidates for a mask or words (default: 5), answers (default: 1)").argParser(
    positiveInteger,
  );
const stride = () =>
  new Option("--stride <n>", "tokens that windows over a long text share (default: as trained)").argParser(
    nonNegativeInteger,
  );
const targets = () =>
  new Option("--targets <words>", "fill masks with these words only: a,b,c").argParser(commaSeparated);

const questionOptions = () => [
  topK(),
  stride(),
  new Option("--max-answer-length <n>", "tokens of an answer at most (default: as trained)").argParser(positiveInteger),
  new Option("--max-question-length <n>", "tokens of a question at most (default: as trained)").argParser(
    positiveInteger,
  ),
];

/** A model, opened for a task. */
export interface OpenTask<Input = TextInput> {
  /** What the command prints for each input, beside the input itself. */
  readonly answer: (inputs: readonly Input[], signal: AbortSignal) => Promise<Answers<object>>;
  /** What it prints of the input itself. Default: all of it. */
  readonly shown?: (input: Input) => object;
  readonly dispose: () => Promise<void>;
}

/** How `cloze predict` does a task of texts or pairs of texts. */
export interface TaskRow {
  readonly inputs?: "texts";
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

/** How it does one whose inputs are contexts with choices. */
export interface ChoiceRow extends Pick<TaskRow, "isPurpose" | "options"> {
  readonly inputs: "choices";
  readonly open: (folder: string, options: OnnxOptions) => Promise<OpenTask<Choices>>;
}

/** How it does one whose inputs are questions about a context. */
export interface QuestionRow extends Pick<TaskRow, "isPurpose" | "options"> {
  readonly inputs: "questions";
  readonly open: (folder: string, options: OnnxOptions & TaskOptions) => Promise<OpenTask<AskedQuestion>>;
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
  "multi-label-classification": {
    isPurpose: TASKS["multi-label-classification"].isPurpose,
    pairs: "optional",
    options: [
      new Option("--threshold <x>", "probability from which a label applies (default: the model's)").argParser(ratio),
    ],
    async open(folder, options) {
      const classifier = await TASKS["multi-label-classification"].open(folder, options);
      const { labels, settings } = classifier.context;
      const threshold = options.threshold ?? settings.threshold;
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await classifier.answer(inputs, { signal });
          const applying = (row: Float32Array) => labels.filter((_, i) => row[i] >= threshold);
          return { results: results.map((row) => ({ labels: applying(row), scores: named(row, labels) })), truncated };
        },
        dispose: () => classifier.dispose(),
      };
    },
  },
  regression: {
    isPurpose: TASKS.regression.isPurpose,
    pairs: "optional",
    options: [],
    async open(folder, options) {
      const model = await TASKS.regression.open(folder, options);
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await model.answer(inputs, { signal });
          return { results: results.map((score) => ({ score })), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  },
  "question-answering": {
    inputs: "questions",
    isPurpose: TASKS["question-answering"].isPurpose,
    options: questionOptions(),
    async open(folder, { topK = 1, stride, maxAnswerLength, maxQuestionLength, ...options }) {
      const model = await TASKS["question-answering"].open(folder, options);
      const chosen = {
        top_k: topK,
        doc_stride: stride,
        max_answer_len: maxAnswerLength,
        max_question_len: maxQuestionLength,
      };
      return {
        async answer(inputs, signal) {
          const answered = await answerQuestions(model, inputs, { ...chosen, signal });
          const results = answered.map(({ answers, noAnswer: no_answer }) => {
            if (topK > 1) return { answers, no_answer };
            const [{ answer, start, end, score }] = answers;
            return { answer, start, end, score, no_answer };
          });
          return { results, truncated: 0 };
        },
        shown: ({ id, question }) => ({ id, question }),
        dispose: () => model.dispose(),
      };
    },
  },
  "multiple-choice": {
    inputs: "choices",
    isPurpose: TASKS["multiple-choice"].isPurpose,
    options: schemaOptions(choiceColumns, "told"),
    async open(folder, options) {
      const model = await TASKS["multiple-choice"].open(folder, options);
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await model.answer(inputs, { signal });
          return { results: results.map((row, i) => choiceScores(inputs[i], row)), truncated };
        },
        dispose: () => model.dispose(),
      };
    },
  },
  "token-classification": {
    isPurpose: TASKS["token-classification"].isPurpose,
    pairs: "never",
    options: [
      new Option("--aggregation-strategy <what>", "how tokens become entities (default: simple)").choices(
        AGGREGATION_STRATEGIES,
      ),
      stride(),
    ],
    async open(folder, { aggregationStrategy = "simple", stride, ...options }) {
      const classifier = await TASKS["token-classification"].open(folder, options);
      const choice = { aggregation_strategy: aggregationStrategy, stride };
      return {
        async answer(inputs, signal) {
          const { results, truncated } = await findEntities(classifier, textsOf(inputs), { ...choice, signal });
          return { results: results.map((entities) => ({ entities })), truncated };
        },
        dispose: () => classifier.dispose(),
      };
    },
  },
  "fill-mask": {
    isPurpose: ({ architecture }) => architecture === "BertForMaskedLM" || architecture === "BertForPreTraining",
    pairs: "never",
    options: [topK(), targets()],
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
    options: [topK()],
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
} as const satisfies Record<string, TaskRow | ChoiceRow | QuestionRow>;

export type PredictionTask = keyof typeof PREDICTION_TASKS;

export const PREDICTION_TASK_NAMES = Object.keys(PREDICTION_TASKS) as readonly PredictionTask[];

/** The task that a model was made for by its config.json; a classifier's where that says nothing. */
export function taskFor(purpose: Purpose): PredictionTask {
  const isIts = (name: PredictionTask) => rowOf(name).isPurpose?.(purpose) ?? false;
  return PREDICTION_TASK_NAMES.find(isIts) ?? "text-classification";
}

export function rowOf(name: PredictionTask): TaskRow | ChoiceRow | QuestionRow {
  return PREDICTION_TASKS[name];
}

function textsOf(inputs: readonly TextInput[]): string[] {
  return inputs.map(({ text }) => text);
}

function labelled(probabilities: Float32Array, labels: readonly string[]) {
  const best = indexOfMax(probabilities);
  return {
    label: labels[best],
    score: probabilities[best],
    scores: named(probabilities, labels),
  };
}

function named(probabilities: Float32Array, labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, i) => [label, probabilities[i]]));
}
