import { ClozeError } from "../../base/errors.ts";

/**
 * The indices of the `count` highest scores that `accept` lets in, the highest first; of equal ones the first. `accept`
 * is asked only about those that would get in, so it may be slow.
 */
export function topIndices(
  scores: ArrayLike<number>,
  count: number,
  accept: (index: number) => boolean = () => true,
): number[] {
  const best: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (best.length === count && scores[i] <= scores[best[count - 1]]) continue;
    if (!accept(i)) continue;
    best.splice(best.findLastIndex((other) => scores[other] >= scores[i]) + 1, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/** The index of the highest score, of equal ones the first. */
export function indexOfMax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

/** Candidates for a word, where nobody says how many. */
export const USUAL_TOP_K = 5;

/** Throws OPTION_INVALID for a `top_k` that is no count. */
export function requireTopK(top_k: number): void {
  if (Number.isInteger(top_k) && top_k >= 1) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "top_k is how many candidates are wanted",
    expected: "a whole number above 0",
    received: String(top_k),
  });
}
