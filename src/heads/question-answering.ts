import { bert, bertInputs } from "../bert/bert.ts";
import type { BertConfig } from "../bert/config.ts";
import { dense } from "../bert/layers.ts";
import { input, segmentCrossEntropy } from "../graph/build.ts";
import type { HeadOutputs } from "./head-outputs.ts";

/**
 * BertForQuestionAnswering: one linear layer over every token gives a logit for its being the first of the answer, and one
 * for its being the last (Devlin et al. 2019, section 4.2). `answers` are both tokens, counted in their sequence. `loss`
 * is Σ weight × (cross-entropy of the first + cross-entropy of the last) among the tokens of each sequence, so weights of
 * 1 / (2 B) make the usual mean.
 */
export function questionAnswering(config: BertConfig): HeadOutputs {
  const inputs = bertInputs();
  const { hidden } = bert(config, inputs);
  const logits = dense("qa_outputs", { in: config.hiddenSize, out: 2 })(hidden); // [T, 2]
  const answers = input("answers", "int32", ["B", 2]);
  const loss = segmentCrossEntropy(logits, inputs.lengths, answers, input("weights", "float32", ["B"]));
  return { logits, loss };
}
