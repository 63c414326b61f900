/** How the caller of a long computation follows and stops it. */
export interface Control {
  /** Stops between batches with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}
