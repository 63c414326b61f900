/** Every error code, with the one sentence that docs/errors.md and the tests hold it to. Alphabetical. */
export const ERROR_CODES = {
  ABORTED: "Work was stopped from outside, by an AbortSignal or Ctrl-C.",
  CHECKPOINT_MALFORMED: "A checkpoint cannot be read.",
  COLUMN_MISSING: "A table has no column of the name that was asked for.",
  CONFIG_MALFORMED: "A configuration file is not JSON or does not describe a model that Cloze runs.",
  CORPUS_INCOMPLETE: "A prepared corpus lacks one of its parts, or there is none.",
  CORPUS_MALFORMED: "A prepared corpus's manifest cannot be read, or two of them are for the same part.",
  CORPUS_TOO_SMALL: "A corpus has too few documents or sentences for the sequences that were asked for.",
  DEVICE_UNAVAILABLE: "A device was asked for that this machine does not offer.",
  DISK_FULL: "The disk, or the user's share of it, has no space left; what was there before is unchanged.",
  DISPOSED: "A model was asked for something after it was disposed of.",
  EVENTS_MALFORMED: "A TensorBoard event file is damaged.",
  FILE_EMPTY: "A file that must hold text, rows or something to learn holds none.",
  FILE_MISSING: "A file or folder that was named does not exist or cannot be read.",
  FILE_NOT_WRITABLE: "A file or folder cannot be written where it was asked for.",
  FORMAT_UNKNOWN: "A file's name and content say no format, or that of another task.",
  GZIP_MALFORMED: "A gzip file is damaged.",
  GZIP_TRUNCATED: "A gzip file ends before its end mark.",
  ID_OUT_OF_RANGE: "An id, label or length is outside what the model was made for.",
  INPUT_MISSING: "A run of a graph was not given all of its inputs.",
  INPUT_SHAPE:
    "An input or output of a run has the wrong shape, type or size, or lies in memory that may go meanwhile.",
  INTERNAL: "A state that the code rules out was reached; this is a defect of Cloze.",
  INVALID_UTF8: "A text file is not UTF-8.",
  LABELS_TOO_FEW: "The training data has only one label.",
  LABEL_UNKNOWN: "A row has a label that the model was not trained on.",
  LOGITS_NOT_FINITE: "A model's results are no finite numbers, so its weights are spoilt.",
  LOSS_NOT_FINITE: "The loss or its gradient is no finite number, so training stopped before it spoilt the model.",
  MASK_MISSING: "A text that is to be filled in has no mask.",
  MODEL_INCOMPLETE: "A model lacks weights, labels or a head that are asked for, or was made for another task.",
  NAME_TAKEN: "Two inputs or parameters of a graph share a name.",
  NAME_UNKNOWN: "A parameter was asked for that the model does not have.",
  NOTHING_TO_RESUME: "A training was to be resumed in a folder that holds something else.",
  NOT_DIFFERENTIABLE: "A gradient was asked for that does not exist.",
  NPY_MALFORMED: "A NumPy file is damaged, or holds something else than float32 numbers in row-major order.",
  OPTIMIZER_LENGTH: "Segments, parameters, gradients or moments of an optimizer differ in length.",
  OPTION_INVALID: "An option or an input is unknown, is missing, or has a value or a form that it cannot take.",
  OUTPUT_NOT_EMPTY: "The output folder holds something already.",
  OUT_OF_MEMORY: "A run, an optimizer, its threads or a file need more memory than there is.",
  PARAMETER_SHAPE: "A stored weight has another shape than the model's.",
  PARQUET_MALFORMED: "A Parquet file is damaged or uses a feature that cannot be read.",
  RESUME_MISMATCH: "A training was resumed with settings other than those it was started with.",
  ROW_MALFORMED: "A row of a table, a line of a log or a document does not have the form that its format demands.",
  SAFETENSORS_DTYPE: "A tensor's number format is unknown, or is not the one that is needed.",
  SAFETENSORS_HEADER: "A safetensors header is missing, too long, or not the JSON that the format demands.",
  SAFETENSORS_OFFSETS: "The byte ranges of a safetensors file's tensors do not cover its data exactly once.",
  SAFETENSORS_TENSOR: "A tensor's shape, number format and size in bytes contradict each other.",
  SEED_MISSING: "A graph with dropout was run without a seed.",
  SHAPE_MISMATCH: "The shapes of an operation's inputs do not fit together.",
  SHARD_MALFORMED: "A shard of a prepared corpus is damaged, or is not the one that its manifest names.",
  SHARD_MISSING: "A shard that the manifest of a prepared corpus names does not exist.",
  SPECIAL_TOKEN_MISSING: "A vocabulary lacks one of the special tokens.",
  TARGET_UNKNOWN: "A word that is to be scored is no single token of the vocabulary.",
  TEXT_EMPTY: "A text is empty, or no text is left.",
  TOKENIZER_MALFORMED: "A tokenizer's file is not JSON or does not have the form that it must have.",
  TOKENIZER_UNSUPPORTED: "A tokenizer's file asks for something that BERT's tokenizer does not do.",
  TRUNCATION_IMPOSSIBLE: "A text cannot be cut to the length that was asked for in the way that was asked for.",
  VOCABULARY_MALFORMED: "A vocabulary is empty, or has an empty or repeated token, or ids with holes.",
  VOCABULARY_MISMATCH: "A vocabulary does not belong to a model or to a prepared corpus.",
  VOCABULARY_TOO_SMALL: "A vocabulary's size cannot hold its special tokens and its alphabet.",
  WEIGHTS_NOT_FINITE: "A stored weight has numbers that are not finite.",
  WEIGHTS_PACKED: "Packed weights were asked for by something that they were not packed for.",
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
  readonly problem: string;
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
    this.problem = problem;
    this.expected = expected;
    this.received = received;
    this.cure = cure;
  }
}
