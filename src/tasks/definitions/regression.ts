import { z } from "zod";
import { vector } from "../../graph/executor.ts";
import { sequenceClassification } from "../../heads/sequence-classification.ts";
import { regressionReport } from "../../metrics/regression.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { shares } from "./class-weights.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import { requirePairs, textOrPairs, textUsage, withPairs } from "./text-pairs.ts";
import { onEmpty, textColumns } from "./text-reading.ts";

const reading = z.object({
  ...textColumns,
  scoreColumn: z.string().optional().describe('column of the number (default: "score")'),
  onEmpty,
});

export type RegressionReading = z.infer<typeof reading>;

const settings = z.object(textOrPairs);

/** A number for a text or a pair of texts, such as how similar they are (STS-B, as a cross-encoder). */
export const regression = {
  name: "regression",
  hubTag: "text-classification",
  summary: "a number for a text, or for a pair of texts, such as how similar they are",
  example:
    "regression --train train.tsv --dev dev.tsv --text-column a --pair-column b --learning-rate 3e-4 --output model",
  usage: textUsage,
  architecture: "BertForSequenceClassification",
  problemType: "regression",
  reading,
  settings,

  labels: () => ["score"],

  settle: withPairs,

  head: (config) => sequenceClassification(config, { labels: 1, problem: "regression" }),

  encode({ text, pair }, { tokenizer, maxLength, settings }) {
    requirePairs({ text, pair }, settings);
    return [tokenizer.encode(text, { maxLength, pair })];
  },

  features: ({ gold, place }, encodings) => [{ sequences: encodings, target: Float32Array.of(gold), place }],

  targets: (part, batch) => ({
    targets: vector(Float32Array.from(part, ({ target }) => target[0])),
    weights: vector(shares(part, batch)),
  }),

  decode: (_input, _encodings, [logits]) => logits[0],

  present: (score) => ({ score }),

  /** Pearson's and Spearman's correlation, mean squared and absolute error; the score is Spearman's. */
  score(examples, answers) {
    const report = regressionReport(
      answers,
      examples.map(({ gold }) => gold),
    );
    return { score: report.spearman, metrics: { examples: examples.length, ...report } };
  },
} as const satisfies Task<TextInput, number, number, typeof reading, typeof settings>;

export type Regressor = TaskModelOf<typeof regression>;
