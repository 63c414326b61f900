import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accuracy,
  classificationReport,
  labelScores,
  macroF1,
  matthewsCorrelation,
  microF1,
  weightedF1,
} from "./classification.ts";
import { confusionMatrix } from "./confusion-matrix.ts";

interface Example {
  gold: number;
  predicted: number;
}

const matrixOf = (examples: readonly Example[], labelCount: number) =>
  confusionMatrix({
    gold: examples.map(({ gold }) => gold),
    predicted: examples.map(({ predicted }) => predicted),
    labelCount,
  });

/** Some labels are likely to stay unused, on either side. */
const judged = fc.integer({ min: 1, max: 5 }).chain((labelCount) =>
  fc.record({
    labelCount: fc.constant(labelCount),
    examples: fc.array(fc.record({ gold: fc.nat(labelCount - 1), predicted: fc.nat(labelCount - 1) }), {
      maxLength: 60,
    }),
  }),
);

/** Precision, recall and F1 of one label straight from the definitions, over sets of examples. */
function scoresByDefinition(examples: readonly Example[], label: number) {
  const having = new Set(examples.filter(({ gold }) => gold === label));
  const called = new Set(examples.filter(({ predicted }) => predicted === label));
  const both = [...having].filter((example) => called.has(example)).length;
  const precision = called.size === 0 ? 0 : both / called.size;
  const recall = having.size === 0 ? 0 : both / having.size;
  const f1 = both === 0 ? 0 : 2 / (1 / precision + 1 / recall);
  return { precision, recall, f1, support: having.size };
}

/** Pearson's correlation of one-hot encodings, covariances summed over the labels (Gorodkin 2004, equation 2). */
function correlationByDefinition(examples: readonly Example[], labelCount: number): number {
  const oneHot = (side: keyof Example) =>
    Array.from({ length: labelCount }, (_, label) => examples.map((example) => Number(example[side] === label)));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const covariance = (xs: number[][], ys: number[][]) => {
    let total = 0;
    for (const [label, x] of xs.entries()) {
      const y = ys[label];
      const [meanX, meanY] = [mean(x), mean(y)];
      for (const [i, value] of x.entries()) total += (value - meanX) * (y[i] - meanY);
    }
    return total;
  };
  const [gold, predicted] = [oneHot("gold"), oneHot("predicted")];
  const scale = Math.sqrt(covariance(gold, gold)) * Math.sqrt(covariance(predicted, predicted));
  return scale < 1e-9 || Number.isNaN(scale) ? 0 : covariance(gold, predicted) / scale;
}

describe("against the definitions", () => {
  test("label scores", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        for (const [label, scores] of labelScores(matrixOf(examples, labelCount)).entries()) {
          const expected = scoresByDefinition(examples, label);
          expect(scores.precision).toBeCloseTo(expected.precision, 12);
          expect(scores.recall).toBeCloseTo(expected.recall, 12);
          expect(scores.f1).toBeCloseTo(expected.f1, 12);
          expect(scores.support).toBe(expected.support);
        }
      }),
    );
  });

  test("means of F1", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        const matrix = matrixOf(examples, labelCount);
        const occurring = [...new Set(examples.flatMap(({ gold, predicted }) => [gold, predicted]))];
        const f1 = (label: number) => scoresByDefinition(examples, label).f1;
        const mean = (values: number[]) =>
          values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
        expect(macroF1(matrix)).toBeCloseTo(mean(occurring.map(f1)), 12);
        expect(weightedF1(matrix)).toBeCloseTo(mean(examples.map(({ gold }) => f1(gold))), 12);
      }),
    );
  });

  test("accuracy, and micro F1 equals it", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        const matrix = matrixOf(examples, labelCount);
        const right = examples.filter(({ gold, predicted }) => gold === predicted).length;
        expect(accuracy(matrix)).toBeCloseTo(examples.length === 0 ? 0 : right / examples.length, 12);
        expect(microF1(matrix)).toBeCloseTo(accuracy(matrix), 12);
      }),
    );
  });

  test("Matthews' correlation", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        const expected = correlationByDefinition(examples, labelCount);
        expect(matthewsCorrelation(matrixOf(examples, labelCount))).toBeCloseTo(expected, 9);
      }),
    );
  });

  test("Matthews' correlation of two labels, in its usual form", () => {
    const count = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(count, count, count, count, (tn, fp, fn, tp) => {
        const phi = (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn)) / Math.sqrt((tn + fp) * (tn + fn));
        expect(
          matthewsCorrelation([
            [tn, fp],
            [fn, tp],
          ]),
        ).toBeCloseTo(phi, 9);
      }),
    );
  });
});

describe("by hand", () => {
  // Gold:      4 of label 0, 3 of label 1, 2 of label 2. Label 3 never occurs.
  // Predicted: 3 of label 0, 5 of label 1, 1 of label 2.
  const matrix = [
    [3, 1, 0, 0],
    [0, 2, 1, 0],
    [0, 2, 0, 0],
    [0, 0, 0, 0],
  ];

  test("a report", () => {
    const report = classificationReport(matrix);
    expect(report.labels).toEqual([
      { precision: 1, recall: 3 / 4, f1: 6 / 7, support: 4 },
      { precision: 2 / 5, recall: 2 / 3, f1: 1 / 2, support: 3 },
      { precision: 0, recall: 0, f1: 0, support: 2 },
      { precision: 0, recall: 0, f1: 0, support: 0 },
    ]);
    expect(report.accuracy).toBeCloseTo(5 / 9, 12);
    expect(report.microF1).toBeCloseTo(5 / 9, 12);
    expect(report.macroF1).toBeCloseTo((6 / 7 + 1 / 2 + 0) / 3, 12); // label 3 left out
    expect(report.weightedF1).toBeCloseTo(((6 / 7) * 4 + (1 / 2) * 3 + 0) / 9, 12);
    // 5 * 9 - (4*3 + 3*5 + 2*1) = 16; 81 - (16 + 9 + 4) = 52; 81 - (9 + 25 + 1) = 46
    expect(report.mcc).toBeCloseTo(16 / Math.sqrt(52 * 46), 12);
  });

  test("all right", () => {
    const report = classificationReport([
      [7, 0, 0],
      [0, 11, 0],
      [0, 0, 13],
    ]);
    expect(report).toMatchObject({ accuracy: 1, macroF1: 1, microF1: 1, weightedF1: 1, mcc: 1 });
  });

  test("always wrong, of two labels", () => {
    const report = classificationReport([
      [0, 5],
      [3, 0],
    ]);
    expect(report).toMatchObject({ accuracy: 0, macroF1: 0, microF1: 0, weightedF1: 0, mcc: -1 });
  });

  test("a majority guess is accurate and uncorrelated", () => {
    const report = classificationReport([
      [70, 0],
      [30, 0],
    ]);
    expect(report.accuracy).toBeCloseTo(0.7, 12);
    expect(report.mcc).toBe(0);
    expect(report.labels[1]).toEqual({ precision: 0, recall: 0, f1: 0, support: 30 });
  });

  test("no examples, no labels", () => {
    const zero = { accuracy: 0, macroF1: 0, microF1: 0, weightedF1: 0, mcc: 0 };
    expect(classificationReport([[0]])).toMatchObject(zero);
    expect(classificationReport([])).toEqual({ ...zero, labels: [] });
  });
});
