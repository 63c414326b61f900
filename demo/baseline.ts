import { type ClassificationReport, classificationReport } from "../src/metrics/classification.ts";
import { confusionMatrix } from "../src/metrics/confusion-matrix.ts";
import type { Label, Mail } from "./mails.ts";
import { fullText, type Split } from "./split.ts";

/** Label indices, as the metrics want them: F1 of spam is `labels[1].f1`. */
export const LABELS: readonly Label[] = ["ham", "spam"];

/** What a classifier must beat: measured on the test part, learned from the train part alone, nothing tuned. */
export interface Baselines {
  /** Every mail gets the most frequent label. */
  majority: ClassificationReport;
  /** Multinomial naive Bayes over the words of subject and body. */
  naiveBayes: ClassificationReport;
}

export function measureBaselines({ train, test }: Pick<Split<Mail>, "train" | "test">): Baselines {
  const judge = (predict: (mail: Mail) => Label) => {
    const predicted = test.map((mail) => LABELS.indexOf(predict(mail)));
    const gold = test.map(({ label }) => LABELS.indexOf(label));
    return classificationReport(confusionMatrix({ predicted, gold, labelCount: LABELS.length }));
  };
  const ham = train.filter(({ label }) => label === "ham").length;
  const majority: Label = 2 * ham >= train.length ? "ham" : "spam";
  return { majority: judge(() => majority), naiveBayes: judge(naiveBayes(train)) };
}

/**
 * Multinomial naive Bayes with Laplace's add-one smoothing (Manning, Raghavan and Schütze 2008, chapter 13). Words that
 * no training mail holds are passed over.
 */
export function naiveBayes(train: readonly Mail[]): (mail: Mail) => Label {
  const wordCounts = new Map<string, number[]>(); // word -> occurrences by label
  const wordTotals = LABELS.map(() => 0);
  const mailTotals = LABELS.map(() => 0);
  for (const mail of train) {
    const label = LABELS.indexOf(mail.label);
    mailTotals[label]!++;
    for (const word of words(mail)) {
      const counts = wordCounts.get(word) ?? LABELS.map(() => 0);
      counts[label]!++;
      wordTotals[label]!++;
      wordCounts.set(word, counts);
    }
  }

  return (mail) => {
    const scores = mailTotals.map((mails) => Math.log(mails / train.length));
    for (const word of words(mail)) {
      const counts = wordCounts.get(word);
      if (counts === undefined) continue;
      for (const [label, count] of counts.entries()) {
        scores[label] += Math.log((count + 1) / (wordTotals[label] + wordCounts.size));
      }
    }
    return LABELS[scores.indexOf(Math.max(...scores))];
  };
}

function words(mail: Mail): string[] {
  return (
    fullText(mail)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
