import type { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { requireKnown } from "../base/require-known.ts";
import { withoutDropout } from "../bert/config.ts";
import { EXECUTOR_OPTIONS, type ExecutorOptions } from "../executors/executor.node.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import type { Evaluation } from "../train/trainable.ts";
import { multiLabelClassification } from "./definitions/multi-label-classification.ts";
import { multipleChoice } from "./definitions/multiple-choice.ts";
import { openTask, readTask } from "./definitions/open-task.node.ts";
import { questionAnswering } from "./definitions/question-answering.ts";
import { regression } from "./definitions/regression.ts";
import { DEFAULT_MAX_LENGTH, type Examples, type Task } from "./definitions/task.ts";
import { textClassification } from "./definitions/text-classification.ts";
import { tokenClassification } from "./definitions/token-classification.ts";
import type { FinetuneResult } from "./finetuning/finetune.node.ts";
import type { FinetuneOptions } from "./finetuning/finetune-options.node.ts";
import type { SweepOptions, SweepRow } from "./finetuning/sweep.node.ts";
import type { Reader } from "./finetuning/training-data.node.ts";
import { isFor, type Purpose, purposeOf, storedWeights } from "./folder/model-folder.node.ts";
import { choiceInputs } from "./readers/choice-inputs.node.ts";
import { readChoices } from "./readers/choices.node.ts";
import { readLabelSets } from "./readers/label-sets.node.ts";
import { readLabelledTexts } from "./readers/labelled-texts.node.ts";
import { questionInputs } from "./readers/question-inputs.node.ts";
import { readQuestions } from "./readers/questions.node.ts";
import { readScoredTexts } from "./readers/scored-texts.node.ts";
import { readTaggedSentences } from "./readers/tagged-sentences.node.ts";
import { textInputs } from "./readers/text-inputs.node.ts";
import { tokenInputs } from "./readers/token-inputs.node.ts";
import { CONTROL_OPTIONS, type Control } from "./run/control.ts";
import type { InputReader } from "./run/input-reader.ts";
import { parseGiven, parseOptions } from "./run/parse-options.ts";
import { prediction } from "./run/prediction.ts";

/** All tasks that BERT is fine-tuned for, and how their files are read. */
export const TASKS = {
  "text-classification": row(textClassification, readLabelledTexts, textInputs),
  "multi-label-classification": row(multiLabelClassification, readLabelSets, textInputs),
  regression: row(regression, readScoredTexts, textInputs),
  "token-classification": row(tokenClassification, readTaggedSentences, tokenInputs),
  "question-answering": row(questionAnswering, readQuestions, questionInputs),
  "multiple-choice": row(multipleChoice, readChoices, choiceInputs),
} as const;

export type TaskName = keyof typeof TASKS;

export const TASK_NAMES = Object.keys(TASKS) as readonly TaskName[];

/** Throws OPTION_INVALID where a program asks for a task that is none. */
function rowOf<T extends TaskName>(task: T): (typeof TASKS)[T] {
  if (Object.hasOwn(TASKS, task)) return TASKS[task];
  throw new ClozeError("OPTION_INVALID", {
    problem: "there is no such task to fine-tune for",
    expected: TASK_NAMES.join(", "),
    received: String(task),
  });
}

/** The task that a model was fine-tuned for by its config.json. */
export function taskOf(purpose: Purpose): TaskName | undefined {
  return TASK_NAMES.find((name) => TASKS[name].isPurpose(purpose));
}

/**
 * The task that the model in a folder was fine-tuned for. Where config.json names no architecture, its head tells: a classifier
 * is taken for one of sequences, and without a pooler for one of words. Throws FILE_MISSING, CONFIG_MALFORMED and the errors of
 * `storedWeights`.
 */
export async function taskOfFolder(path: string): Promise<TaskName | undefined> {
  const purpose = await purposeOf(path);
  if (purpose.architecture !== undefined) return taskOf(purpose);
  const architecture = architectureOfHead((await storedWeights(path)).map(({ name }) => name));
  return taskOf({ ...purpose, architecture });
}

function architectureOfHead(names: readonly string[]): string | undefined {
  if (names.includes("qa_outputs.weight")) return questionAnswering.architecture;
  if (!names.includes("classifier.weight")) return undefined;
  const hasPooler = names.some((name) => name.includes("pooler."));
  return (hasPooler ? textClassification : tokenClassification).architecture;
}

/** The options of a task, beside those that all tasks have. */
export type TaskOptions<T extends TaskName> = OptionsOf<(typeof TASKS)[T]["reading"]> &
  OptionsOf<(typeof TASKS)[T]["settings"]>;

/** What a schema takes. That of a schema without fields would forbid all others too. */
type OptionsOf<Schema extends z.ZodObject> = keyof Schema["shape"] extends never ? unknown : z.input<Schema>;

/** How good a model is on a file. */
export interface FileEvaluation extends Evaluation, Pick<Examples<unknown, unknown>, "skipped" | "places" | "notes"> {
  readonly labels: readonly string[];
  /** Inputs that were longer than the model takes and cut. */
  readonly truncated: number;
}

function row<I, G, A, R extends z.ZodObject, S extends z.ZodObject, Q extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  read: Reader<I, G, z.infer<R>>,
  inputs: InputReader<I, Q>,
) {
  return {
    name: task.name,
    summary: task.summary,
    example: task.example,
    defaultMaxLength: task.defaultMaxLength ?? DEFAULT_MAX_LENGTH,
    reading: task.reading,
    settings: task.settings,
    /** Whether it is what a model was made for. */
    isPurpose: (purpose: Purpose) => isFor(purpose, task),
    async finetune(options: FinetuneOptions): Promise<FinetuneResult> {
      const { finetuneTask } = await import("./finetuning/finetune.node.ts"); // which a prediction need not load
      return finetuneTask(task, read, options);
    },
    /** What inference computes with a model folder. Throws as `open` does. */
    async graph(folder: string): Promise<Graph> {
      const { config, context } = await readTask(task, folder);
      return makeGraph({ logits: task.head(withoutDropout(config), context).logits });
    },
    open: (folder: string, options?: ExecutorOptions) => openTask(task, folder, options),
    /** Answers inputs without gold answers. */
    prediction: prediction({
      inputs,
      settings: task.settings,
      async open(folder, options: ExecutorOptions, settings) {
        const model = await openTask(task, folder, options);
        return {
          answer: (some, control) => model.present(some, { ...control, settings }),
          dispose: () => model.dispose(),
        };
      },
    }),
    /** `options` hold those of reading, and settings that outweigh the model's own. */
    async evaluate(folder: string, data: string, options: ExecutorOptions & Control): Promise<FileEvaluation> {
      const { signal, onProgress } = options;
      const settings = parseGiven(task.settings, options);
      const model = await openTask(task, folder, options);
      try {
        const { examples, skipped, places, notes } = await read(data, parseOptions(task.reading, options));
        const { evaluation, truncated } = await model.evaluate(examples, { settings, signal, onProgress });
        const { labels } = model.context;
        return { ...evaluation, labels, skipped, places, notes, truncated };
      } finally {
        await model.dispose();
      }
    },
  };
}

/**
 * Fine-tunes a model for a task on labelled files and writes a model folder:
 *
 *     await finetune("text-classification", { train: "train.tsv", dev: "dev.tsv", output: "model" });
 *
 * Throws a ClozeError for whatever is wrong with the files, the options or the machine; an interrupted training can be
 * resumed.
 */
export async function finetune<T extends TaskName>(
  task: T,
  options: FinetuneOptions & TaskOptions<T>,
): Promise<FinetuneResult> {
  return rowOf(task).finetune(options);
}

/**
 * Measures a model on a labelled file:
 *
 *     const { score, metrics } = await evaluate("text-classification", "model", "test.tsv");
 *
 * `options` hold those of reading, and settings that outweigh the model's own. Throws the errors of the folder and the file.
 */
export async function evaluate<T extends TaskName>(
  task: T,
  folder: string,
  data: string,
  options: ExecutorOptions & Control & Partial<TaskOptions<T>> = {},
): Promise<FileEvaluation> {
  const row = rowOf(task);
  requireKnown<object>(options, {
    ...EXECUTOR_OPTIONS,
    ...CONTROL_OPTIONS,
    ...row.reading.shape,
    ...row.settings.shape,
  });
  return row.evaluate(folder, data, options);
}

/**
 * Fine-tunes with every recipe of a grid and ranks them by their mean score over seeds and folds:
 *
 *     const [best] = await sweep("text-classification", { train: "train.tsv", folds: 5, output: "sweep" });
 *
 * Called again it goes on where it was stopped. Throws OPTION_INVALID where there is nothing to measure on, and what
 * `finetune` throws.
 */
export async function sweep<T extends TaskName>(task: T, options: SweepOptions & TaskOptions<T>): Promise<SweepRow[]> {
  const { runSweep } = await import("./finetuning/sweep.node.ts");
  return runSweep(rowOf(task).finetune, options);
}
