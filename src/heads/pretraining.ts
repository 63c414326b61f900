import { bert, bertInputs } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { add } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";
import { type MaskedLmOutputs, maskedLmHead } from "./masked-lm.ts";
import { type NextSentenceOutputs, nextSentenceHead } from "./next-sentence.ts";

export interface PretrainingOutputs {
  readonly masked: MaskedLmOutputs;
  readonly nextSentence: NextSentenceOutputs;
  /** The sum of both losses []. */
  readonly loss: Tensor;
}

/** BertForPreTraining: masked LM and next sentence (Devlin et al. 2019, section 3.1), trained together. */
export function pretraining(config: BertConfig): PretrainingOutputs {
  const inputs = bertInputs();
  const outputs = bert(config, inputs);
  const masked = maskedLmHead(config, outputs);
  const nextSentence = nextSentenceHead(config, outputs, inputs.lengths);
  return { masked, nextSentence, loss: add(masked.loss, nextSentence.loss) };
}
