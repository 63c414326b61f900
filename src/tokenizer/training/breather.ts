import { ClozeError } from "../../base/errors.ts";

const BREATH_MS = 50;

/**
 * Lets long work pause: `await breathe()` gives the event loop a turn if the last one was 50 ms ago, so that a page
 * stays responsive and an abort can arrive at all.
 *
 * @throws ClozeError ABORTED once the signal has fired.
 */
export function breather(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let last = performance.now();
  const refuseAborted = () => {
    if (!signal?.aborted) return;
    throw new ClozeError("ABORTED", { problem: "the training of a vocabulary was aborted", cause: signal.reason });
  };
  return () => {
    refuseAborted();
    if (performance.now() - last < BREATH_MS) return undefined;
    return new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
      last = performance.now();
      refuseAborted();
    });
  };
}
