import { z } from "zod";
import { vector } from "../../graph/executor.ts";
import { sequenceClassification } from "../../heads/sequence-classification.ts";
import { classificationReport } from "../../metrics/classification.ts";
import { confusionFigure, confusionMatrix } from "../../metrics/confusion-matrix.ts";
import { softmax } from "../run/softmax.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { indexOfMax } from "../run/top-k.ts";
import { shares, weighByLabel } from "./class-weights.ts";
import { labelIndex, labelsOf, namedScores } from "./labels.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import { textOrPairs, textUsage, withPairs } from "./text-pairs.ts";
import { textReading } from "./text-reading.ts";
import { encodeText, longTexts, meanLogits, windowFeatures } from "./text-windows.ts";

const METRICS = ["accuracy", "macroF1", "weightedF1", "f1", "mcc"] as const;

const settings = z.object({
  metric: z
    .enum(METRICS)
    .optional()
    .describe("figure that chooses the best epoch (default: GLUE's, else accuracy)")
    .meta({ onlyFor: "training" }),
  classWeights: z
    .string()
    .optional()
    .describe('weights of labels in the loss: "balanced", or spam=2,ham=1')
    .meta({ onlyFor: "training" }),
  ...longTexts,
  ...textOrPairs,
});

/** One label of several for a text or a pair of texts; the answer is the probability of each. */
export const textClassification = {
  name: "text-classification",
  summary: "one label of several for a text, or a pair of texts",
  example:
    "text-classification --train train.tsv --dev dev.tsv --text-column sentence --learning-rate 3e-4 --output model",
  usage: textUsage,
  architecture: "BertForSequenceClassification",
  problemType: "single_label_classification",
  windowed: true,
  reading: textReading,
  settings,

  labels: ({ examples, file, labels: known }) =>
    known ??
    labelsOf(
      examples.map(({ gold }) => gold),
      file,
    ),

  settle: (data, chosen) => ({
    ...withPairs(data, chosen),
    metric: chosen.metric ?? METRICS.find((name) => name === data.metric),
  }),

  head: (config, { labels }) => sequenceClassification(config, { labels: labels.length }),

  encode: encodeText,

  features: ({ gold, place }, encodings, { labels }) =>
    windowFeatures(encodings, { target: Int32Array.of(labelIndex(gold, labels, place)), place }),

  weigh: (features, { labels, settings: { classWeights } }) =>
    classWeights === undefined ? features : weighByLabel(features, labels, classWeights),

  targets: (part, batch) => ({
    labels: vector(Int32Array.from(part, ({ target }) => target[0])),
    weights: vector(shares(part, batch)),
  }),

  decode: (_input, _encodings, logits) => softmax(meanLogits(logits)),

  present(probabilities, _input, { labels }) {
    const best = indexOfMax(probabilities);
    return { label: labels[best], score: probabilities[best], scores: namedScores(probabilities, labels) };
  },

  /** Accuracy, F1, Matthews' correlation and the confusion matrix; the score is the setting `metric`. */
  score(examples, answers, { labels, settings: { metric = "accuracy" } }) {
    const gold = examples.map((example) => labelIndex(example.gold, labels, example.place));
    const confusion = confusionMatrix({ predicted: answers.map(indexOfMax), gold, labelCount: labels.length });
    const { labels: perLabel, ...figures } = classificationReport(confusion);
    // Of two labels that of the second, as GLUE has it; of more the plain mean.
    const f1 = perLabel.length === 2 ? perLabel[1].f1 : figures.macroF1;
    const metrics = { examples: examples.length, ...figures, f1 };
    return { score: metrics[metric], metrics: { ...metrics, perLabel, ...confusionFigure(confusion) } };
  },
} as const satisfies Task<TextInput, string, Float32Array, typeof textReading, typeof settings>;

export type TextClassifier = TaskModelOf<typeof textClassification>;

/**
 * The same with logits for an answer. Texts can be compared by these and not by logarithms of their probabilities, from
 * which each text's own normalisation has been taken.
 */
export const textClassificationLogits = {
  ...textClassification,
  decode: (_input, _encodings, logits) => meanLogits(logits),
} as const satisfies Task<TextInput, string, Float32Array, typeof textReading, typeof settings>;
