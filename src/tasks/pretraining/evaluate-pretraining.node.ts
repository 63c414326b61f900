import { ClozeError } from "../../base/errors.ts";
import { requireKnown } from "../../base/require-known.ts";
import type { ReadDocumentsOptions } from "../../corpus/read-documents.node.ts";
import type { MaskUnit } from "../../data/masking.ts";
import type { Pairing } from "../../data/sentence-pairs.ts";
import { EXECUTOR_OPTIONS, type ExecutorOptions } from "../../executors/executor.node.ts";
import type { Evaluation } from "../../train/trainable.ts";
import { openFrozenModel } from "../folder/frozen-model.node.ts";
import { openModelFolder, storedWeights } from "../folder/model-folder.node.ts";
import { requireLength } from "../folder/starting-point.node.ts";
import { CONTROL_OPTIONS, type Control } from "../run/control.ts";
import { readHeldOut } from "./held-out.node.ts";
import { readRecipe } from "./pretrained-folder.node.ts";
import { type Objective, PretrainingEvaluator, pretrainingParameters } from "./pretraining.ts";
import { PRETRAINING_DEFAULTS } from "./pretraining-settings.ts";

/** What is left out is as the model was pre-trained, as far as its config.json says. */
export interface EvaluatePretrainingOptions extends ExecutorOptions, Control {
  /** Text files that the model was not trained on. */
  readonly data: readonly string[];
  /** How their text is laid out, see `cloze prepare`; and at most how many tokens to read. */
  readonly reading?: ReadDocumentsOptions;
  /** Tokens of a sequence at most. */
  readonly maxLength?: number;
  readonly pairs?: Pairing;
  readonly mask?: MaskUnit;
  readonly maskRate?: number;
}

/**
 * Measures a pre-trained model on text that it has not seen: loss, accuracy and perplexity of the masked LM, and how many
 * pairs it judges rightly. Throws MODEL_INCOMPLETE where it is to judge pairs without a head for them, OPTION_INVALID, and
 * as `openModelFolder`, `loadWeights`, `readHeldOut` and `Predictor.run` do.
 */
export async function evaluatePretraining(folder: string, options: EvaluatePretrainingOptions): Promise<Evaluation> {
  requireKnown(options, {
    ...EXECUTOR_OPTIONS,
    ...CONTROL_OPTIONS,
    data: true,
    reading: true,
    maxLength: true,
    pairs: true,
    mask: true,
    maskRate: true,
  });
  const { config, tokenizer } = await openModelFolder(folder);
  const recipe = await readRecipe(folder);
  const names = (await storedWeights(folder)).map(({ name }) => name);
  const canJudge = names.includes("cls.seq_relationship.weight");
  if (!canJudge && options.pairs !== undefined && options.pairs !== "none") {
    throw new ClozeError("MODEL_INCOMPLETE", {
      problem: `${folder} has no head to judge pairs with`,
      expected: "cls.seq_relationship, as pre-training with pairs makes it",
      cure: "Measure its masks alone, with --pairs none.",
    });
  }
  const { pairs = recipe?.pairs ?? (canJudge ? PRETRAINING_DEFAULTS.pairs : "none") } = options;
  const { mask: unit = recipe?.mask ?? PRETRAINING_DEFAULTS.mask } = options;
  const { maskRate: rate = recipe?.mask_rate ?? PRETRAINING_DEFAULTS.maskRate } = options;
  const defaultLength = Math.min(PRETRAINING_DEFAULTS.maxLength, config.maxPositions);
  const { maxLength = recipe?.max_length ?? defaultLength } = options;
  requireLength(maxLength, config);
  const instances = { pairing: pairs, maxLength, mask: { rate, unit } };
  const sequences = await readHeldOut(options.data, tokenizer, instances, options.reading);

  const objective: Objective = canJudge && pairs !== "none" ? "pretraining" : "masked-lm";
  const model = await openFrozenModel(folder, options);
  const parameters = await model.parameters(pretrainingParameters(config, objective));
  const evaluator = await PretrainingEvaluator.load({ config, objective, parameters }, model.executor, {
    frozen: true,
  });
  try {
    return await evaluator.evaluate(sequences, options);
  } finally {
    await evaluator.dispose();
  }
}
