import type { ExecutorOptions } from "../../executors/executor.node.ts";
import { openFrozenModel } from "../folder/frozen-model.node.ts";
import { openModelFolder } from "../folder/model-folder.node.ts";
import { NextSentenceModel, nextSentenceParameters } from "./next-sentence.ts";

/**
 * Opens a BertForPreTraining or a BertForNextSentencePrediction. Throws MODEL_INCOMPLETE for a model that was trained
 * without pairs, the errors of `openModelFolder` and `loadWeights`, and DEVICE_UNAVAILABLE.
 */
export async function openNextSentenceModel(path: string, options: ExecutorOptions = {}): Promise<NextSentenceModel> {
  const { config, tokenizer } = await openModelFolder(path);
  const model = await openFrozenModel(path, options);
  // An encoder trained without pairs has no use for the pooler either.
  const prefixes = ["cls.seq_relationship.", "bert.pooler."];
  const head = { name: "next sentence prediction", prefixes };
  const parameters = await model.parameters(nextSentenceParameters(config), head);
  return NextSentenceModel.load({ config, parameters, tokenizer }, model.executor);
}
