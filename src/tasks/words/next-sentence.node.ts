import { type ExecutorOptions, openExecutor } from "../../executors/executor.node.ts";
import { Parameters } from "../../graph/parameters.ts";
import { loadHeadWeights } from "../folder/head-weights.node.ts";
import { openModelFolder } from "../folder/model-folder.node.ts";
import { NextSentenceModel, nextSentenceParameters } from "./next-sentence.ts";

/**
 * Opens a BertForPreTraining or a BertForNextSentencePrediction. Throws MODEL_INCOMPLETE for a model that was trained
 * without pairs, the errors of `openModelFolder` and `loadWeights`, and DEVICE_UNAVAILABLE.
 */
export async function openNextSentenceModel(path: string, options: ExecutorOptions = {}): Promise<NextSentenceModel> {
  const { config, tokenizer } = await openModelFolder(path);
  const parameters = new Parameters(nextSentenceParameters(config));
  // An encoder trained without pairs has no use for the pooler either.
  const prefixes = ["cls.seq_relationship.", "bert.pooler."];
  await loadHeadWeights(path, parameters, { name: "next sentence prediction", prefixes });
  return NextSentenceModel.load({ config, parameters, tokenizer }, openExecutor(options, "inference"));
}
