import { type ExecutorOptions, openExecutor } from "../../executors/executor.node.ts";
import { Parameters } from "../../graph/parameters.ts";
import { loadHeadWeights } from "../folder/head-weights.node.ts";
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
  const parameters = new Parameters(maskedLmParameters(config));
  await loadHeadWeights(path, parameters, { name: "masked language modelling", prefixes: ["cls.predictions."] });
  return MaskedLanguageModel.load({ config, parameters, tokenizer }, openExecutor(options, "inference"));
}
