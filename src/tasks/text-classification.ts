import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { vector } from "../graph/executor.ts";
import { sequenceClassification } from "../heads/sequence-classification.ts";
import { classificationReport } from "../metrics/classification.ts";
import { confusionMatrix } from "../metrics/confusion-matrix.ts";
import { shares, weighByLabel } from "./class-weights.ts";
import { softmax } from "./softmax.ts";
import type { Examples, Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import type { TextInput } from "./text-or-pair.ts";
import { textReading } from "./text-reading.ts";

const settings = z.object({
  classWeights: z.string().optional().describe('weights of labels in the loss: "balanced", or spam=2,ham=1'),
});

/** One label of several for a text or a pair of texts; the answer is the probability of each. */
export const textClassification = {
  name: "text-classification",
  summary: "one label of several for a text, or a pair of texts",
  example: "text-classification --train train.tsv --dev dev.tsv --text-column sentence --output model",
  architecture: "BertForSequenceClassification",
  problemType: () => "single_label_classification",
  reading: textReading,
  settings,

  labels: labelsOf,

  head: (config, { labels }) => sequenceClassification(config, { labels: labels.length }),

  encode: ({ text, pair }, { tokenizer, maxLength }) => [tokenizer.encode(text, { maxLength, pair })],

  features({ gold, place }, encodings, { labels }) {
    const target = Int32Array.of(labelIndex(gold, labels, place));
    return encodings.map((sequence) => ({ sequences: [sequence], target, place }));
  },

  weigh: (features, { labels, settings: { classWeights } }) =>
    classWeights === undefined ? features : weighByLabel(features, labels, classWeights),

  targets: (part, batch) => ({
    labels: vector(Int32Array.from(part, ({ target }) => target[0])),
    weights: vector(shares(part, batch)),
  }),

  decode: (_input, _encodings, [logits]) => softmax(logits),

  /** Accuracy, F1, Matthews' correlation and the confusion matrix; the score is the accuracy. */
  score(examples, answers, { labels }) {
    const gold = examples.map((example) => labelIndex(example.gold, labels, example.place));
    const confusion = confusionMatrix({ predicted: answers.map(argmax), gold, labelCount: labels.length });
    const loss = answers.reduce((sum, row, i) => sum - Math.log(Math.max(row[gold[i]], Number.MIN_VALUE)), 0);
    const { labels: perLabel, ...figures } = classificationReport(confusion);
    return {
      score: figures.accuracy,
      metrics: { examples: examples.length, loss: loss / examples.length, ...figures, perLabel, confusion },
    };
  },
} as const satisfies Task<TextInput, string, Float32Array, typeof textReading, typeof settings>;

export type TextClassifier = TaskModelOf<typeof textClassification>;

/** The labels that occur, numbers in their order, others by code unit. Throws LABELS_TOO_FEW: with one label there is nothing to learn. */
function labelsOf({ examples, file }: Examples<TextInput, string>): string[] {
  const labels = [...new Set(examples.map(({ gold }) => gold))].sort();
  if (labels.every((label) => /^\d+$/.test(label))) labels.sort((a, b) => Number(a) - Number(b));
  if (labels.length > 1) return labels;
  throw new ClozeError("LABELS_TOO_FEW", {
    problem: `every row of ${file} has the same label`,
    expected: "two labels or more",
    received: JSON.stringify(labels[0]),
    cure: "Check --label-column.",
  });
}

/** Throws LABEL_UNKNOWN. */
function labelIndex(label: string, labels: readonly string[], place: string): number {
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new ClozeError("LABEL_UNKNOWN", {
    problem: `${place} has a label that the model does not know`,
    expected: labels.map((known) => JSON.stringify(known)).join(", "),
    received: JSON.stringify(label),
    cure: "Correct the label, or train with data in which it occurs.",
  });
}

function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
