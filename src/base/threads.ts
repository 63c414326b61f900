import { ClozeError } from "./errors.ts";

/** More than any processor has; each takes a stack of its own. */
const MAX_THREADS = 1024;

/** Throws OPTION_INVALID for what is no number of threads. */
export function requireThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "that is no number of threads",
    expected: `a whole number from 1 to ${MAX_THREADS}`,
    received: String(threads),
  });
}
