import type { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { type ExecutorOptions, openExecutor } from "../../executors/executor.node.ts";
import { Parameters } from "../../graph/parameters.ts";
import { loadWeights, openModelFolder, purposeOf, storedWeights } from "../folder/model-folder.node.ts";
import { maxLengthOf } from "../run/max-length.ts";
import type { Task } from "./task.ts";
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
  const folder = await openModelFolder(path);
  await requireProblem(task, path);
  const { config, tokenizer, taskSettings } = folder;
  const labels = task.labels === undefined ? [] : (folder.labels ?? (await usualLabels(path)));
  if (task.labels !== undefined && labels.length === 0) {
    throw new ClozeError("MODEL_INCOMPLETE", {
      problem: `${path} is no model for ${task.name}: its config.json names no labels`,
      expected: `id2label, as \`cloze finetune ${task.name}\` writes it`,
    });
  }
  const settings = task.settings.safeParse(taskSettings[task.name] ?? {});
  if (!settings.success) {
    throw new ClozeError("CONFIG_MALFORMED", {
      problem: `${path} has settings for ${task.name} that cannot be understood`,
      received: settings.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    });
  }
  const context = { tokenizer, labels, maxLength: maxLengthOf(folder), settings: settings.data };
  const parameters = new Parameters(taskParameters(task, config, context));
  await loadWeights(path, parameters);
  return TaskModel.load(task, { config, parameters, context }, openExecutor(options, "inference"), { frozen: true });
}

/**
 * Classifiers of sequences have the same weights whatever they classify, and numbers that mean other things. Where config.json
 * says nothing, one label is a number, as `purposeOf` has it, and of several each may be right or only one.
 */
async function requireProblem(task: { readonly name: string; readonly problemType?: string }, path: string) {
  const { problemType, isStated } = await purposeOf(path);
  const isOpen = !isStated && problemType !== "regression";
  if (task.problemType === undefined || task.problemType === problemType || isOpen) return;
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: `${path} is no model for ${task.name}`,
    expected: `the problem_type ${task.problemType}, in its config.json`,
    received: problemType,
    cure: "Choose the task that it was trained for.",
  });
}

/** The names that transformers gives labels without names, and leaves out of config.json; none where there is no classifier. */
async function usualLabels(path: string): Promise<string[]> {
  const classifier = (await storedWeights(path)).find(({ name }) => name === "classifier.weight");
  return Array.from({ length: classifier?.shape[0] ?? 0 }, (_, i) => `LABEL_${i}`);
}
