import { pearson, spearman } from "./correlation.ts";

/** How close predicted numbers come to the gold ones. */
export interface RegressionReport {
  pearson: number;
  spearman: number;
  /** In squares of the gold numbers' unit. */
  meanSquaredError: number;
  /** In the gold numbers' unit. */
  meanAbsoluteError: number;
}

/**
 * Both correlations and both mean errors at once, all 0 for no examples. GLUE scores STS-B by the two correlations.
 *
 * @throws ClozeError SHAPE_MISMATCH where the lists differ in length
 */
export function regressionReport(predicted: ArrayLike<number>, gold: ArrayLike<number>): RegressionReport {
  const correlations = { pearson: pearson(predicted, gold), spearman: spearman(predicted, gold) };
  const errors = Float64Array.from(predicted, (value, index) => value - gold[index]);
  return {
    ...correlations,
    meanSquaredError: mean(errors.map((error) => error * error)),
    meanAbsoluteError: mean(errors.map(Math.abs)),
  };
}

function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
}
