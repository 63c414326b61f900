/** Sizes that the kernels decide and that room for their results follows from: as native/layout.h has them. */
export const LAYOUT = {
  /** Where two threads write neighbouring places, these do not share one. */
  cacheLine: 64,
  /** Numbers of a long loop's task; sums over numbers leave a part for each. */
  chunk: 8192,
  /** Rows of a block; sums over rows leave a part for each. */
  rowBlock: 64,
  /** Floats of what a softmax is made with: its highest score, and one over the sum. */
  normaliserFloats: 2,
  /** Floats of what a row's loss follows from: its highest logit, the sum of e^(logit - highest), and its label's logit. */
  rowSumsFloats: 3,
  /** Inner indices that one step of a panel takes, zeros behind the last. */
  group: { float32: 1, bfloat16: 2, int8: 4 },
  /** Quantized left sides have room for a multiple of so many rows; what lies in the rest of it is read for nothing. */
  quantizedRows: 12,
  /** Bytes of what makes numbers of the integers of a row on the left, or of a column on the right. */
  quantizedCode: 8,
} as const;
