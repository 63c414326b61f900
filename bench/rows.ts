/** One measured claim. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, under the same conditions in the same run. */
  readonly peer: string;
  readonly peerValue: number;
  /** How the two compare; `target` says which way is good. */
  readonly ratio: number;
  readonly target: { readonly ratio: "at least" | "at most"; readonly value: number };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export function isMet({ ratio, target }: BenchRow): boolean {
  return target.ratio === "at least" ? ratio >= target.value : ratio <= target.value;
}
