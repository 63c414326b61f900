import { ClozeError } from "../../base/errors.ts";
import type { Control } from "../run/control.ts";
import { logSumExp } from "../run/softmax.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { TEXT_FORMS } from "../run/text-or-pair.ts";
import type { MaskedInput, MaskedLanguageModel } from "./masked-language-model.ts";
import { windowAround } from "./window.ts";

export interface PseudoLogLikelihood {
  /** Σ log P(token | all other tokens), by the natural logarithm: the higher, the likelier the text. */
  readonly score: number;
  /** Tokens of the text, without special ones around it. */
  readonly tokens: number;
  /** Pseudo-perplexity, exp(-score / tokens): 1 where every token was certain. */
  readonly perplexity: number;
}

export type PseudoLogLikelihoodPipeline = TaskPipeline<string, PseudoLogLikelihood>;

export function pseudoLogLikelihoodPipeline(model: MaskedLanguageModel): PseudoLogLikelihoodPipeline {
  return makePipeline(
    { ...TEXT_FORMS.text, options: {} },
    async (texts, control) => ({ results: await pseudoLogLikelihoods(model, texts, control), truncated: 0 }),
    () => model.dispose(),
  );
}

/** Masked copies made at once: many full batches, yet no memory to speak of. */
const COPIES = 2048;

/**
 * How likely a masked language model finds texts (Salazar et al. 2020, https://arxiv.org/abs/1910.14659): each token is
 * masked in turn and predicted from all others. In a text that is too long, each token is predicted from as many tokens
 * around it as the model takes, so nothing is cut. Throws TEXT_EMPTY for a text without tokens, and as `Predictor.run`
 * does.
 */
export async function pseudoLogLikelihoods(
  model: MaskedLanguageModel,
  texts: readonly string[],
  { signal }: Pick<Control, "signal"> = {},
): Promise<PseudoLogLikelihood[]> {
  const tokens = texts.map((text) => tokensOf(model, text));
  const copies = tokens.flatMap((ids, text) => Array.from(ids, (token, place) => ({ text, place, token })));
  const scores = new Float64Array(texts.length);
  for (let start = 0; start < copies.length; start += COPIES) {
    const some = copies.slice(start, start + COPIES);
    const logarithms = await model.predict(
      some.map(({ text, place }) => maskedCopy(model, tokens[text], place)),
      (logits, i) => logits[some[i].token] - logSumExp(logits),
      { signal },
    );
    // In the order of the tokens, so that a sum does not depend on what else is in the call.
    logarithms.forEach(([logarithm], i) => {
      scores[some[i].text] += logarithm;
    });
  }
  return tokens.map(({ length }, i) => ({
    score: scores[i],
    tokens: length,
    perplexity: Math.exp(-scores[i] / length),
  }));
}

function tokensOf({ tokenizer }: MaskedLanguageModel, text: string): Int32Array {
  const ids = tokenizer.ids(text);
  if (ids.length > 0) return ids;
  throw new ClozeError("TEXT_EMPTY", {
    problem: "a text has no tokens, so it has no likelihood",
    received: JSON.stringify(text),
    cure: "Leave it out.",
  });
}

/** [CLS], the tokens around a place, that one masked, and [SEP]. */
function maskedCopy({ tokenizer, maxLength }: MaskedLanguageModel, ids: Int32Array, place: number): MaskedInput {
  const { cls, mask, sep } = tokenizer.specialIds;
  const [start, end] = windowAround(ids.length, place, place, maxLength - 2);
  const copy = Int32Array.of(cls, ...ids.subarray(start, end), sep);
  const position = 1 + place - start;
  copy[position] = mask;
  return { ids: copy, typeIds: new Int32Array(copy.length), positions: [position] };
}
