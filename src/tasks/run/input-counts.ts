/** What became of the inputs of a command. */
export class InputCounts {
  texts = 0;
  /** How many were left out, by reason: "without text". */
  readonly skipped: Record<string, number> = {};
  /** Where the first of them stood, by the same reasons. */
  readonly places: Record<string, readonly string[]> = {};
  truncated = 0;

  /** Counts an input that is left out; `place` says where it stands: "mails.txt, line 7". */
  skip(reason: string, place: string): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
    this.places[reason] ??= [place];
  }
}

/** What a reader counts: inputs that it leaves out. */
export type SkipCounts = Pick<InputCounts, "skip">;
