import { ClozeError } from "../../base/errors.ts";
import type { ExecutorOptions } from "../../executors/executor.node.ts";
import type { Regressor } from "../definitions/regression.ts";
import { purposeOf } from "../folder/model-folder.node.ts";
import { TASKS, taskOf } from "../task-table.node.ts";
import type { SequenceClassifier } from "./sequence-classifier.ts";

/** Opens a classifier as what it was made for by its problem type. Throws the errors of `openTask`. */
export async function openSequenceClassifier(folder: string, options: ExecutorOptions): Promise<SequenceClassifier> {
  const { problemType } = await purposeOf(folder);
  switch (problemType) {
    case "multi_label_classification":
      return TASKS["multi-label-classification"].open(folder, options);
    case "regression":
      return TASKS.regression.open(folder, options);
    default:
      return TASKS["text-classification"].open(folder, options);
  }
}

/** Opens a classifier that ranks texts for a query. Throws MODEL_INCOMPLETE for one of single texts. */
export async function openReranker(folder: string, options: ExecutorOptions): Promise<SequenceClassifier> {
  const model = await openSequenceClassifier(folder, options);
  await requirePairModel(folder, model, "rerank");
  return model;
}

/** Opens a model of regression for pairs. Throws MODEL_INCOMPLETE where it is none. */
export async function openSimilarityModel(folder: string, options: ExecutorOptions): Promise<Regressor> {
  const purpose = await purposeOf(folder);
  if (purpose.problemType !== "regression") {
    throw new ClozeError("MODEL_INCOMPLETE", {
      problem: `${folder} is no model for sentence-similarity`,
      expected: "a model that gives a number, as `cloze finetune regression` makes it",
      received: `one of ${taskOf(purpose) ?? purpose.architecture ?? "unknown architecture"}`,
    });
  }
  const model = await TASKS.regression.open(folder, options);
  await requirePairModel(folder, model, "sentence-similarity");
  return model;
}

/** Throws MODEL_INCOMPLETE, and disposes of the model, where it is known to have learnt from single texts. */
async function requirePairModel(folder: string, model: SequenceClassifier, task: string): Promise<void> {
  if (model.context.settings.trainedOnPairs !== false) return;
  await model.dispose();
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: `${folder} is no model for ${task}`,
    expected: "a model of pairs, as `cloze finetune` makes it with --pair-column",
    received: "one of single texts",
  });
}
