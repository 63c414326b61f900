import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { multiLabelReport } from "./multi-label.ts";

interface Example {
  gold: number[];
  predicted: number[];
}

/** Rows of 0 and 1 from sets of labels. */
const rowsOf = (sets: readonly number[][], labelCount: number) =>
  Uint8Array.from(sets.flatMap((set) => Array.from({ length: labelCount }, (_, label) => Number(set.includes(label)))));

const reportOf = (examples: readonly Example[], labelCount: number) =>
  multiLabelReport({
    gold: rowsOf(
      examples.map(({ gold }) => gold),
      labelCount,
    ),
    predicted: rowsOf(
      examples.map(({ predicted }) => predicted),
      labelCount,
    ),
    labelCount,
  });

/** Some labels are likely to stay unused, on either side, and some sets to be empty. */
const judged = fc.integer({ min: 1, max: 6 }).chain((labelCount) => {
  const set = fc.subarray(Array.from({ length: labelCount }, (_, label) => label));
  return fc.record({
    labelCount: fc.constant(labelCount),
    examples: fc.array(fc.record({ gold: set, predicted: set }), { maxLength: 25 }),
  });
});

/** How many elements two sets have in common. */
const inBoth = <T>(a: ReadonlySet<T>, b: ReadonlySet<T>) => [...a].filter((element) => b.has(element)).length;

/** F1 of two sets, as the harmonic mean of precision and recall. */
function f1Of<T>(gold: ReadonlySet<T>, predicted: ReadonlySet<T>): number {
  const both = inBoth(gold, predicted);
  return both === 0 ? 0 : 2 / (predicted.size / both + gold.size / both);
}

const mean = (values: number[]) => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length);

describe("against the definitions, over sets", () => {
  test("scores of each label, and their means", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        const report = reportOf(examples, labelCount);
        const labels = Array.from({ length: labelCount }, (_, label) => ({
          gold: new Set(examples.filter(({ gold }) => gold.includes(label))),
          predicted: new Set(examples.filter(({ predicted }) => predicted.includes(label))),
        }));
        for (const [label, { gold, predicted }] of labels.entries()) {
          const both = inBoth(gold, predicted);
          const scores = report.labels[label];
          expect(scores.precision).toBeCloseTo(predicted.size === 0 ? 0 : both / predicted.size, 12);
          expect(scores.recall).toBeCloseTo(gold.size === 0 ? 0 : both / gold.size, 12);
          expect(scores.f1).toBeCloseTo(f1Of(gold, predicted), 12);
          expect(scores.support).toBe(gold.size);
        }
        const occurring = labels.filter(({ gold, predicted }) => gold.size + predicted.size > 0);
        expect(report.macroF1).toBeCloseTo(mean(occurring.map(({ gold, predicted }) => f1Of(gold, predicted))), 12);
        const weighted = examples.flatMap(({ gold }) => gold.map((label) => labels[label]));
        expect(report.weightedF1).toBeCloseTo(mean(weighted.map(({ gold, predicted }) => f1Of(gold, predicted))), 12);
      }),
    );
  });

  test("scores over examples and over single decisions", () => {
    fc.assert(
      fc.property(judged, ({ examples, labelCount }) => {
        const report = reportOf(examples, labelCount);
        const samples = examples.map(({ gold, predicted }) => f1Of(new Set(gold), new Set(predicted)));
        expect(report.samplesF1).toBeCloseTo(mean(samples), 12);
        const decisions = (side: keyof Example) =>
          new Set(examples.flatMap((example, i) => example[side].map((label) => `${i} ${label}`)));
        const [gold, predicted] = [decisions("gold"), decisions("predicted")];
        expect(report.microF1).toBeCloseTo(f1Of(gold, predicted), 12);
        const wrong = gold.size + predicted.size - 2 * inBoth(gold, predicted);
        expect(report.hammingLoss).toBeCloseTo(wrong / Math.max(1, examples.length * labelCount), 12);
        const right = examples.filter(({ gold, predicted }) => gold.join() === predicted.join());
        expect(report.exactMatch).toBeCloseTo(right.length / Math.max(1, examples.length), 12);
      }),
    );
  });
});

test("as scikit-learn has it", () => {
  const examples = [
    { gold: [0, 2], predicted: [0, 2] },
    { gold: [1], predicted: [2] },
    { gold: [], predicted: [] }, // right, and yet 0 in the mean of the examples' F1
    { gold: [0, 1, 3], predicted: [0, 3] },
    { gold: [2], predicted: [0, 2] },
    { gold: [], predicted: [1] },
  ];
  const report = reportOf(examples, 5);
  expect(report.microF1).toBeCloseTo(2 / 3, 12);
  expect(report.macroF1).toBeCloseTo(0.65, 12); // of the four labels that occur
  expect(report.weightedF1).toBeCloseTo(0.6, 12);
  expect(report.samplesF1).toBeCloseTo(0.4111111111111111, 12);
  expect(report.exactMatch).toBeCloseTo(1 / 3, 12);
  expect(report.hammingLoss).toBeCloseTo(1 / 6, 12);
  expect(report.labels).toEqual([
    { precision: 2 / 3, recall: 1, f1: 0.8, support: 2 },
    { precision: 0, recall: 0, f1: 0, support: 2 },
    { precision: 2 / 3, recall: 1, f1: 0.8, support: 2 },
    { precision: 1, recall: 1, f1: 1, support: 1 },
    { precision: 0, recall: 0, f1: 0, support: 0 },
  ]);
});

test("no examples", () => {
  const zero = { microF1: 0, macroF1: 0, weightedF1: 0, samplesF1: 0, exactMatch: 0, hammingLoss: 0 };
  expect(reportOf([], 1)).toEqual({ ...zero, labels: [{ precision: 0, recall: 0, f1: 0, support: 0 }] });
});

test.each([
  ["SHAPE_MISMATCH", "rows of different sizes", { gold: [1, 0, 1, 0], predicted: [1, 0], labelCount: 2 }],
  ["SHAPE_MISMATCH", "half a row", { gold: [1, 0, 1], predicted: [1, 0, 1], labelCount: 2 }],
  ["SHAPE_MISMATCH", "no labels", { gold: [], predicted: [], labelCount: 0 }],
  ["ID_OUT_OF_RANGE", "an index instead of 0 or 1", { gold: [1, 0], predicted: [2, 0], labelCount: 2 }],
])("%s for %s", (code, _, { gold, predicted, labelCount }) => {
  const judgedSets = { gold: Uint8Array.from(gold), predicted: Uint8Array.from(predicted), labelCount };
  expect(() => multiLabelReport(judgedSets)).toThrow(expect.objectContaining({ code }));
});
