import { ClozeError } from "../base/errors.ts";

/**
 * Pearson's product-moment correlation of two lists of numbers (Pearson 1895): 1 where one is an increasing linear
 * function of the other, -1 where a decreasing one. Where either list is constant, or empty, it is not defined and
 * counts as 0, as Matthews' correlation does; SciPy's `pearsonr` gives NaN there. NaN where a number is not finite.
 *
 * @throws ClozeError SHAPE_MISMATCH where the lists differ in length
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) {
    throw new ClozeError("SHAPE_MISMATCH", {
      problem: "Two lists that are to be compared differ in length",
      expected: `${x.length} numbers in the second`,
      received: `${y.length}`,
      cure: "Give one number for each of the other list, in the same order.",
    });
  }
  const correlation = dot(unitDeviations(x), unitDeviations(y));
  return Math.max(-1, Math.min(1, correlation)); // rounding may carry it beyond
}

/**
 * Spearman's rank correlation (Spearman 1904): Pearson's of the ranks, where equal numbers share the mean of their ranks.
 * 1 where one list is any increasing function of the other. Where either is constant it counts as 0. NaN where a
 * number is NaN.
 *
 * @throws ClozeError SHAPE_MISMATCH where the lists differ in length
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(ranks(x), ranks(y));
}

/** The rank of each number, from 1 for the least; equal numbers share the mean of theirs. NaN has no rank, and leaves none to others. */
function ranks(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort(); // NaN at the end
  const found = new Float64Array(values.length);
  if (Number.isNaN(sorted.at(-1))) return found.fill(Number.NaN);
  const order = Array.from(found.keys()).sort((a, b) => values[a] - values[b] || 0);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && sorted[end] === sorted[first]) end++;
    for (const index of order.slice(first, end)) found[index] = (first + 1 + end) / 2;
    first = end;
  }
  return found;
}

/**
 * Deviations from the mean, scaled so that their squares sum to 1; zeros where all numbers are equal. Numbers are taken
 * relative to the first, so that a large offset costs no digits, and to the largest deviation, so that no square overflows.
 */
function unitDeviations(values: ArrayLike<number>): Float64Array {
  const shifted = Float64Array.from(values, (value) => value - values[0]);
  const mean = shifted.reduce((total, value) => total + value, 0) / shifted.length;
  const deviations = shifted.map((value) => value - mean);
  const largest = deviations.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return deviations;
  const scaled = deviations.map((value) => value / largest);
  const norm = Math.sqrt(dot(scaled, scaled));
  return scaled.map((value) => value / norm);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((total, value, index) => total + value * b[index], 0);
}
