import { ClozeError } from "../base/errors.ts";

/** After these a checkpoint would fail too, or keep what led to them. */
const UNSAVEABLE: ReadonlySet<string> = new Set([
  "DISK_FULL",
  "FILE_NOT_WRITABLE",
  "LOGITS_NOT_FINITE",
  "LOSS_NOT_FINITE",
]);

export interface Stop {
  /** Writes a checkpoint, unless the last one is up to date. */
  readonly save: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
  /** Updates made, of `totalSteps`. */
  readonly step: number;
  readonly totalSteps: number;
  readonly howToResume: string;
}

/**
 * What a training throws that an error stops: ABORTED for the signal's reason, any other as it is. Saves first, since the
 * model is what the last update made of it: an update that fails changes nothing. Where that fails too, the first error is the
 * one to tell, but for the signal's, which promises a checkpoint.
 */
export async function errorOfStop(error: unknown, stop: Stop): Promise<unknown> {
  const { save, signal, step, totalSteps, howToResume } = stop;
  const isAborted = signal?.aborted && error === signal.reason;
  if (!(error instanceof ClozeError && UNSAVEABLE.has(error.code))) {
    await save().catch((failure) => {
      if (isAborted) throw failure;
    });
  }
  if (!isAborted) return error;
  const problem = `training stopped at step ${step} of ${totalSteps}`;
  return new ClozeError("ABORTED", { problem, cure: howToResume });
}
