import { ClozeError } from "../../base/errors.ts";
import type { ExecutorOptions } from "../../executors/executor.node.ts";
import type { Regressor } from "../definitions/regression.ts";
import { purposeOf } from "../folder/model-folder.node.ts";
import { TASKS } from "../task-table.node.ts";
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

/** Opens a model of regression for a task that is done with its numbers. Throws MODEL_INCOMPLETE where it is none. */
export async function openRegressor(folder: string, options: ExecutorOptions, purpose: string): Promise<Regressor> {
  const { problemType } = await purposeOf(folder);
  if (problemType === "regression") return TASKS.regression.open(folder, options);
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: `${folder} is no model for ${purpose}`,
    expected: "a model that gives a number, as `cloze finetune regression` makes it",
    received: `one of ${problemType}`,
  });
}
