import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import type { TaskModelOf } from "../definitions/task-model.ts";
import type { textClassificationLogits } from "../definitions/text-classification.ts";
import type { CallForm } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { softmax } from "../run/softmax.ts";
import { type Answers, answerCall } from "../run/task-pipeline.ts";
import { requireText, TEXT_FORMS } from "../run/text-or-pair.ts";

export interface ZeroShotOptions extends Control {
  /** What is asked of a text for each label, which takes the place of `{}`. Default "This example is {}.". */
  readonly hypothesis_template?: string;
  /** Whether any number of labels may apply: each is then judged alone. Default false. */
  readonly multi_label?: boolean;
}

export interface ZeroShotResult {
  readonly sequence: string;
  /** The likeliest first. */
  readonly labels: string[];
  /** Probability of each label in `labels`, 0 to 1; they sum to 1 unless `multi_label`. */
  readonly scores: number[];
}

/** Labels that the model was never trained for, for a text. */
export interface ZeroShotClassificationPipeline {
  (text: string, labels: readonly string[], options?: ZeroShotOptions): Promise<ZeroShotResult>;
  (texts: readonly string[], labels: readonly string[], options?: ZeroShotOptions): Promise<ZeroShotResult[]>;
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

/** A classifier of pairs that tells whether the first text entails the second; its answers are logits. */
export type EntailmentModel = TaskModelOf<typeof textClassificationLogits>;

const FORM: CallForm<Omit<ZeroShotOptions, keyof Control>> = {
  ...TEXT_FORMS.text,
  options: { hypothesis_template: true, multi_label: true },
};

/**
 * Classification by entailment (Yin et al. 2019), with any model that was trained on MNLI, RTE or the like:
 *
 *     await classify("I want my money back.", ["refund", "praise"]); // { sequence, labels: ["refund", "praise"], scores }
 *
 * Scores are those of Hugging Face's pipeline of the same name: a softmax of the entailment's logits over the labels, or
 * with `multi_label` for each label one over its entailment and contradiction. Throws MODEL_INCOMPLETE where the model has
 * no label for these.
 */
export function zeroShotClassificationPipeline(model: EntailmentModel): ZeroShotClassificationPipeline {
  entailmentLabels(model.context.labels); // complains before there are texts

  function classify(text: string, labels: readonly string[], options?: ZeroShotOptions): Promise<ZeroShotResult>;
  function classify(
    texts: readonly string[],
    labels: readonly string[],
    options?: ZeroShotOptions,
  ): Promise<ZeroShotResult[]>;
  async function classify(input: string | readonly string[], labels: readonly string[], options: ZeroShotOptions = {}) {
    return answerCall(FORM, input, options, async (texts) => {
      const { results } = await classifyByEntailment(model, texts, labels, options);
      return results;
    });
  }
  return Object.assign(classify, { dispose: () => model.dispose() });
}

/**
 * What the pipeline gives for each text, of which each counts as cut once, whatever the labels. Throws OPTION_INVALID,
 * TEXT_EMPTY, MODEL_INCOMPLETE and the errors of `TaskModel.answer`.
 */
export async function classifyByEntailment(
  model: EntailmentModel,
  texts: readonly string[],
  labels: readonly string[],
  { hypothesis_template: template = "This example is {}.", multi_label = false, signal }: ZeroShotOptions = {},
): Promise<Answers<ZeroShotResult>> {
  const { entailment, contradiction } = entailmentLabels(model.context.labels);
  requireHypotheses(template, labels);
  for (const text of texts) requireText("a text", text);
  const pairs = texts.flatMap((text) =>
    labels.map((label) => ({ text, pair: template.replaceAll("{}", () => label) })),
  );
  const { results: logits, cut } = await model.answer(pairs, { signal });
  const ofText = <T>(values: readonly T[], i: number) => values.slice(i * labels.length, (i + 1) * labels.length);
  const results = texts.map((text, i) => {
    const own = ofText(logits, i);
    // A single label among itself is certain, which says nothing; so it is judged alone, as Hugging Face does.
    const scores =
      multi_label || labels.length === 1
        ? own.map((row) => softmax([row[entailment], row[contradiction]])[0])
        : Array.from(softmax(own.map((row) => row[entailment])));
    return sorted(text, labels, scores);
  });
  return { results, truncated: texts.filter((_, i) => ofText(cut, i).includes(true)).length };
}

function sorted(sequence: string, labels: readonly string[], scores: readonly number[]): ZeroShotResult {
  const order = labels.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  return { sequence, labels: order.map((i) => labels[i]), scores: order.map((i) => scores[i]) };
}

/** Where a model has its two answers; of two labels the one that is not entailment stands for contradiction. */
function entailmentLabels(labels: readonly string[]): { entailment: number; contradiction: number } {
  const entailment = labels.findIndex((label) => /^entail/i.test(label));
  const contrary = labels.findIndex((label) => /^contra/i.test(label));
  const contradiction = contrary < 0 && labels.length === 2 ? 1 - entailment : contrary;
  if (entailment >= 0 && contradiction >= 0) return { entailment, contradiction };
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: "the model does not tell whether a text entails another",
    expected: 'labels that begin with "entail" and "contra", or two labels of which one begins with "entail"',
    received: labels.join(", "),
    cure: "Use a model that was fine-tuned on MNLI, RTE or the like.",
  });
}

/** Throws OPTION_INVALID. */
function requireHypotheses(template: string, labels: readonly string[]): void {
  if (!z.array(z.string()).safeParse(labels).success) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the labels to choose from have the wrong form",
      expected: 'a list of texts, such as ["refund", "praise"]',
      received: JSON.stringify(labels),
    });
  }
  if (labels.length === 0) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "there are no labels to choose from",
      expected: "one or more, by --candidate-labels on the command line",
    });
  }
  const twice = labels.find((label, i) => labels.includes(label, i + 1));
  if (twice !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "labels to choose from share their probability where one is repeated",
      expected: "each label once",
      received: `${JSON.stringify(twice)} twice`,
    });
  }
  if (typeof template === "string" && template.includes("{}")) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "the hypothesis_template has no place for the label",
    expected: 'a text with {}, such as "This example is {}."',
    received: JSON.stringify(template),
  });
}
