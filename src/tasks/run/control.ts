/** How the caller of a long computation follows and stops it. */
export interface Control {
  /** Stops with the signal's reason, on the native kernels in the middle of a batch. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** The names of all. */
export const CONTROL_OPTIONS: Readonly<Record<keyof Control, true>> = { signal: true, onProgress: true };
