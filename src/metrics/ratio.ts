/** A share or a mean; 0 where there is nothing to divide by, as scikit-learn's `zero_division=0` has it. */
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}
