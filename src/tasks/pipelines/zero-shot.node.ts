import type { ExecutorOptions } from "../../executors/executor.node.ts";
import { openTask } from "../definitions/open-task.node.ts";
import { textClassificationLogits } from "../definitions/text-classification.ts";
import {
  type EntailmentModel,
  type ZeroShotClassificationPipeline,
  zeroShotClassificationPipeline,
} from "./zero-shot.ts";

/** Opens a classifier of pairs whose answers are logits. Throws the errors of `openTask`. */
export function openEntailmentModel(folder: string, options: ExecutorOptions): Promise<EntailmentModel> {
  return openTask(textClassificationLogits, folder, options);
}

/** Opens a model that was trained on entailment. Throws the errors of `openTask` and `zeroShotClassificationPipeline`. */
export async function openZeroShotPipeline(
  folder: string,
  options: ExecutorOptions,
): Promise<ZeroShotClassificationPipeline> {
  const model = await openEntailmentModel(folder, options);
  try {
    return zeroShotClassificationPipeline(model);
  } catch (error) {
    await model.dispose();
    throw error;
  }
}
