import type { Tensor } from "../graph/operations.ts";

/** What a head gives: rows of logits, and the loss of these beside the right answers [], a weighted sum. */
export interface HeadOutputs {
  readonly logits: Tensor;
  readonly loss: Tensor;
}
