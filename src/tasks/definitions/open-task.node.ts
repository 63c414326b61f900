import type { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { faultsOf, plainWords } from "../../base/plain-words.ts";
import type { BertConfig } from "../../bert/config.ts";
import type { ExecutorOptions } from "../../executors/executor.node.ts";
import { openFrozenModel } from "../folder/frozen-model.node.ts";
import { openModelFolder, purposeOf, storedWeights } from "../folder/model-folder.node.ts";
import { maxLengthOf } from "../run/max-length.ts";
import type { Task, TaskContext } from "./task.ts";
import { TaskModel, taskParameters } from "./task-model.ts";

/**
 * Opens a folder as a model of a task. Throws MODEL_INCOMPLETE where it is none, CONFIG_MALFORMED, DEVICE_UNAVAILABLE and the
 * errors of `openModelFolder` and `loadWeights`.
 */
export async function openTask<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  path: string,
  options: ExecutorOptions = {},
): Promise<TaskModel<I, G, A, R, S>> {
  const { config, context } = await readTask(task, path);
  const model = await openFrozenModel(path, options);
  const parameters = await model.parameters(taskParameters(task, config, context));
  return TaskModel.load(task, { config, parameters, context }, model.executor, { frozen: true });
}

/** What a folder says of a model of a task, without its weights. Throws as `openTask` does. */
export async function readTask<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  path: string,
): Promise<{ readonly config: BertConfig; readonly context: TaskContext<z.infer<S>> }> {
  const folder = await openModelFolder(path);
  await requirePurpose(task, path);
  const { config, tokenizer, taskSettings } = folder;
  const labels = task.labels === undefined ? [] : (folder.labels ?? (await usualLabels(path)));
  if (task.labels !== undefined && labels.length === 0) {
    throw new ClozeError("MODEL_INCOMPLETE", {
      problem: `${path} is no model for ${task.name}: its config.json names no labels`,
      expected: `id2label, as \`cloze finetune ${task.name}\` writes it`,
    });
  }
  const settings = task.settings.safeParse(taskSettings[task.name] ?? {}, { error: plainWords });
  if (!settings.success) {
    throw new ClozeError("CONFIG_MALFORMED", {
      problem: `${path} has settings for ${task.name} that cannot be understood`,
      received: faultsOf(settings.error),
    });
  }
  return { config, context: { tokenizer, labels, maxLength: maxLengthOf(folder), settings: settings.data } };
}

/** The classes of models with a head whose weights another task might take for its own. */
const TASK_MODELS = /^BertFor(SequenceClassification|TokenClassification|MultipleChoice|QuestionAnswering)$/;

/**
 * Classifiers have the same weights whatever they classify, and numbers that mean other things. Where config.json says nothing
 * of the problem, one label is a number, as `purposeOf` has it, and of several each may be right or only one.
 */
async function requirePurpose(
  task: Pick<Task<never, never, never, z.ZodObject, z.ZodObject>, "name" | "architecture" | "problemType">,
  path: string,
) {
  const { architecture, problemType, isStated } = await purposeOf(path);
  const refuse = (expected: string, received: string) => {
    throw new ClozeError("MODEL_INCOMPLETE", {
      problem: `${path} is no model for ${task.name}`,
      expected: `the ${expected}, in its config.json`,
      received,
      cure: "Choose the task that it was trained for.",
    });
  };
  if (architecture !== undefined && architecture !== task.architecture && TASK_MODELS.test(architecture)) {
    refuse(`architecture ${task.architecture}`, architecture);
  }
  const isOpen = !isStated && problemType !== "regression";
  if (task.problemType !== undefined && task.problemType !== problemType && !isOpen) {
    refuse(`problem_type ${task.problemType}`, problemType);
  }
}

/** The names that transformers gives labels without names, and leaves out of config.json; none where there is no classifier. */
async function usualLabels(path: string): Promise<string[]> {
  const classifier = (await storedWeights(path)).find(({ name }) => name === "classifier.weight");
  return Array.from({ length: classifier?.shape[0] ?? 0 }, (_, i) => `LABEL_${i}`);
}
