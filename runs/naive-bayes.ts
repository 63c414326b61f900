export interface LabelledWords {
  readonly words: readonly string[];
  readonly label: string;
}

/**
 * Multinomial naive Bayes with Laplace's add-one smoothing (Manning, Raghavan and Schütze 2008, chapter 13), for any number
 * of labels. Words that nothing in the training data holds are passed over.
 */
export function naiveBayes(train: readonly LabelledWords[]): (words: readonly string[]) => string {
  const labels = new Map<string, { examples: number; total: number; counts: Map<string, number> }>();
  const vocabulary = new Set<string>();
  for (const { words, label } of train) {
    const seen = labels.get(label) ?? { examples: 0, total: 0, counts: new Map<string, number>() };
    labels.set(label, seen);
    seen.examples++;
    seen.total += words.length;
    for (const word of words) {
      seen.counts.set(word, (seen.counts.get(word) ?? 0) + 1);
      vocabulary.add(word);
    }
  }
  return (words) => {
    const known = words.filter((word) => vocabulary.has(word));
    const scores = Array.from(labels, ([label, { examples, total, counts }]) => {
      const shares = known.map((word) => ((counts.get(word) ?? 0) + 1) / (total + vocabulary.size));
      return { label, score: shares.reduce((sum, share) => sum + Math.log(share), Math.log(examples / train.length)) };
    });
    return scores.reduce((best, one) => (one.score > best.score ? one : best)).label;
  };
}
