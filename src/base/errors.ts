/** Every error code, with the one sentence that docs/errors.md and the tests hold it to. Alphabetical. */
export const ERROR_CODES = {
  ABORTED: "The caller's AbortSignal fired.",
  FILE_MISSING: "A file or folder that was named does not exist or cannot be read.",
  INTERNAL: "A state that the code rules out was reached; this is a defect of Cloze.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** What was wrong, in a few words: "train.tsv has no column \"text\"". */
  problem: string;
  /** What would have been right. */
  expected?: string;
  /** What came instead. */
  received?: string;
  /** What the reader can do about it, as an imperative. */
  cure?: string;
  cause?: unknown;
}

/** The only error that Cloze throws on purpose: a code for machines; the problem, expectation, finding and cure for people. */
export class ClozeError extends Error {
  readonly code: ErrorCode;
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly cure: string | undefined;

  constructor(code: ErrorCode, details: ErrorDetails) {
    const { problem, expected, received, cure, cause } = details;
    const parts = [problem];
    if (expected !== undefined) parts.push(`expected ${expected}`);
    if (received !== undefined) parts.push(`got ${received}`);
    super(parts.join("; ") + (cure === undefined ? "." : `. ${cure}`), cause === undefined ? undefined : { cause });
    this.name = "ClozeError";
    this.code = code;
    this.expected = expected;
    this.received = received;
    this.cure = cure;
  }
}
