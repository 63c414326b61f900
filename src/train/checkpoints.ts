import type { Parameters } from "../graph/parameters.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Evaluation } from "./trainable.ts";

/** Where a training stands, beside the numbers in its buffers. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number;
  /** Sum of the losses of this epoch's batches so far. */
  readonly epochLoss: number;
  /** The best evaluation so far and the step that it was made after. */
  readonly best: { readonly step: number; readonly evaluation: Evaluation } | null;
  /** Evaluations since the best one. */
  readonly evaluationsSinceBest: number;
  /** Everything that the result depends on; a resumed run must have the same. */
  readonly settings: Readonly<Record<string, boolean | number | string>>;
}

/** Keeps what a training needs to continue. Each save replaces the one before, whole or not at all. */
export interface Checkpoints {
  save(state: TrainingState, parameters: Parameters, optimizer: Optimizer): Promise<void>;
  /** The state at the last save; undefined where there is none. */
  state(): Promise<TrainingState | undefined>;
  /** Restores the numbers of the last save, which a state came from, into the buffers. */
  restore(state: TrainingState, parameters: Parameters, optimizer: Optimizer): Promise<void>;
  saveBest(parameters: Parameters): Promise<void>;
  loadBest(parameters: Parameters): Promise<void>;
  /** What a person does to continue from the last save. */
  readonly howToResume: string;
}
