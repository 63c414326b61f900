import { z } from "zod";
import { sequenceClassification } from "../../heads/sequence-classification.ts";
import { multiLabelReport } from "../../metrics/multi-label.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { decisionShares, weighPositives } from "./class-weights.ts";
import { labelIndex, labelsOf, namedScores } from "./labels.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import { textOrPairs, textUsage, withPairs } from "./text-pairs.ts";
import { textReading } from "./text-reading.ts";
import { encodeText, longTexts, meanLogits, windowFeatures } from "./text-windows.ts";

const reading = textReading.omit({ format: true }).extend({
  labelColumn: z.string().default("labels").describe("column of the labels: a list, or names with a separator between"),
  labelSeparator: z.string().min(1).default(",").describe("what stands between labels"),
});

export type MultiLabelReading = z.infer<typeof reading>;

const settings = z.object({
  threshold: z.number().min(0).max(1).default(0.5).describe("probability from which a label applies"),
  classWeights: z
    .string()
    .optional()
    .describe('weights in the loss of labels where they apply: "balanced", or spam=2,urgent=5')
    .meta({ onlyFor: "training" }),
  ...longTexts,
  ...textOrPairs,
});

/** Any number of labels for a text or a pair of texts; the answer is the probability of each. */
export const multiLabelClassification = {
  name: "multi-label-classification",
  hubTag: "text-classification",
  summary: "any number of labels for a text, or a pair of texts",
  example: "multi-label-classification --train train.jsonl --dev dev.jsonl --learning-rate 3e-4 --output model",
  usage: textUsage,
  architecture: "BertForSequenceClassification",
  problemType: "multi_label_classification",
  windowed: true,
  reading,
  settings,

  labels: ({ examples, file }) =>
    labelsOf(
      examples.flatMap(({ gold }) => gold),
      file,
    ),

  settle: withPairs,

  head: (config, { labels }) =>
    sequenceClassification(config, { labels: labels.length, problem: "multi_label_classification" }),

  encode: encodeText,

  features: ({ gold, place }, encodings, { labels }) =>
    windowFeatures(encodings, { target: Float32Array.from(labelSet(gold, labels, place)), place }),

  weigh: (features, { labels, settings: { classWeights } }) =>
    classWeights === undefined ? features : weighPositives(features, labels, classWeights),

  targets: (part, batch, { labels: { length: K } }) => ({
    targets: { data: Float32Array.from(part.flatMap(({ target }) => Array.from(target))), shape: [part.length, K] },
    weights: { data: decisionShares(part, batch), shape: [part.length, K] },
  }),

  decode: (_input, _encodings, logits) => meanLogits(logits).map((logit) => 1 / (1 + Math.exp(-logit))),

  present(probabilities, _input, { labels, settings: { threshold } }) {
    const applying = labels.filter((_, i) => probabilities[i] >= threshold);
    return { labels: applying, scores: namedScores(probabilities, labels) };
  },

  /** F1 in its four means, exact match and Hamming loss; the score is micro F1. */
  score(examples, answers, { labels, settings: { threshold } }) {
    const gold = Uint8Array.from(examples.flatMap((example) => labelSet(example.gold, labels, example.place)));
    const predicted = Uint8Array.from(answers.flatMap((row) => Array.from(row, (p) => (p >= threshold ? 1 : 0))));
    const { labels: perLabel, ...figures } = multiLabelReport({ predicted, gold, labelCount: labels.length });
    return { score: figures.microF1, metrics: { examples: examples.length, ...figures, perLabel } };
  },
} as const satisfies Task<TextInput, readonly string[], Float32Array, typeof reading, typeof settings>;

export type MultiLabelClassifier = TaskModelOf<typeof multiLabelClassification>;

/** 1 for each label that applies, 0 for the others. Throws LABEL_UNKNOWN. */
function labelSet(gold: readonly string[], labels: readonly string[], place: string): number[] {
  const set = new Array<number>(labels.length).fill(0);
  for (const label of gold) set[labelIndex(label, labels, place)] = 1;
  return set;
}
