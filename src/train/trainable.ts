import type { Value } from "../graph/executor.ts";
import type { Tensor } from "../graph/operations.ts";

/** What the loop can train: examples of some kind and a loss over them. Tasks implement it. */
export interface Trainable<E> {
  /** The loss with dropout, Σ weight × loss of one example. */
  readonly loss: Tensor;
  readonly examples: readonly E[];
  /** Tokens of an example. */
  length(example: E): number;
  /** Inputs of a run over some examples of a batch of `batchSize`: each weighs 1 / batchSize, so that parts add up. */
  inputs(examples: readonly E[], batchSize: number): Record<string, Value>;
  /** Says which example this is, for messages: "train.tsv, line 7". */
  nameOf(example: E): string;
}

/** How good a model is: one number to choose by, higher is better, and whatever else was measured. */
export interface Evaluation {
  readonly score: number;
  readonly metrics: Readonly<Record<string, unknown>>;
}
