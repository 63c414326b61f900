import type { ExecutorOptions } from "../../executors/executor.node.ts";
import { openFrozenModel } from "../folder/frozen-model.node.ts";
import { openModelFolder } from "../folder/model-folder.node.ts";
import { MaskedLanguageModel, maskedLmParameters } from "./masked-language-model.ts";

/**
 * Opens a BertForMaskedLM or a BertForPreTraining. Throws MODEL_INCOMPLETE for a model without a masked-LM head, the
 * errors of `openModelFolder` and `loadWeights`, and DEVICE_UNAVAILABLE.
 */
export async function openMaskedLanguageModel(
  path: string,
  options: ExecutorOptions = {},
): Promise<MaskedLanguageModel> {
  const { config, tokenizer } = await openModelFolder(path);
  const model = await openFrozenModel(path, options);
  const head = { name: "masked language modelling", prefixes: ["cls.predictions."] };
  const parameters = await model.parameters(maskedLmParameters(config), head);
  return MaskedLanguageModel.load({ config, parameters, tokenizer }, model.executor);
}
