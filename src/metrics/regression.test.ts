import fc from "fast-check";
import { expect, test } from "vitest";
import { pearson, spearman } from "./correlation.ts";
import { regressionReport } from "./regression.ts";

test("by hand, and as scikit-learn has it", () => {
  const report = regressionReport([2.5, 0, 3.75, 5, 3.75, 1.2, 0, 4.4], [2.4, 0.2, 3, 5, 4, 0.2, 0.2, 3]);
  expect(report.meanSquaredError).toBeCloseTo(0.459375, 14);
  expect(report.meanAbsoluteError).toBeCloseTo(0.4875, 14);
  expect(regressionReport([1, 2], [4, 6])).toMatchObject({ meanSquaredError: 12.5, meanAbsoluteError: 3.5 });
});

test("holds both correlations", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9))), (pairs) => {
      const [predicted, gold] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
      const report = regressionReport(predicted, gold);
      expect(report.pearson).toBe(pearson(predicted, gold));
      expect(report.spearman).toBe(spearman(predicted, gold));
      // The mean square is at least the square of the mean (Jensen 1906).
      expect(report.meanSquaredError).toBeGreaterThanOrEqual(report.meanAbsoluteError ** 2 - 1e-9);
    }),
  );
});

test("float32 predictions against float64 scores", () => {
  const report = regressionReport(Float32Array.of(0.5, 1.5), [0.5, 1.25]);
  expect(report).toMatchObject({ meanSquaredError: 0.03125, meanAbsoluteError: 0.125 });
});

test("no examples are 0, and lists of different lengths SHAPE_MISMATCH", () => {
  expect(regressionReport([], [])).toEqual({ pearson: 0, spearman: 0, meanSquaredError: 0, meanAbsoluteError: 0 });
  expect(() => regressionReport([1], [])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
});
