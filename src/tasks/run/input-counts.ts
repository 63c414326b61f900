/** What became of the inputs of a command. */
export class InputCounts {
  texts = 0;
  /** How many were left out, by reason: "without text". */
  readonly skipped: Record<string, number> = {};
  /** Where the first of them stood, by the same reasons. */
  readonly places: Record<string, readonly string[]> = {};
  /** What was read all the same and is to be told, and how often. */
  readonly notes: Record<string, number> = {};
  truncated = 0;

  /** Counts an input that is left out; `place` says where it stands: "mails.txt, line 7". */
  skip(reason: string, place: string): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
    this.places[reason] ??= [place];
  }

  /** Counts what is odd and read all the same. */
  note(what: string, place: string): void {
    this.notes[what] = (this.notes[what] ?? 0) + 1;
    this.places[what] ??= [place];
  }
}

/** What a reader counts: inputs that it leaves out, and odd ones. */
export type SkipCounts = Pick<InputCounts, "skip" | "note">;
