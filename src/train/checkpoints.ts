import type { Parameters } from "../graph/parameters.ts";
import type { Optimizer } from "../optim/optimizer.ts";

/** Everything that the result of a training depends on. */
export type Settings = Readonly<Record<string, boolean | number | string>>;

/** Where a training stands, beside the numbers in its buffers. */
export interface TrainingState {
  /** Updates made. */
  readonly step: number;
  /** A resumed run must have the same. */
  readonly settings: Settings;
}

/** Keeps what a training needs to continue. Each save is there whole or not at all. */
export interface Checkpoints<S extends TrainingState> {
  save(state: S, parameters: Parameters, optimizer: Optimizer): Promise<void>;
  /** The state at the last save; undefined where there is none. */
  state(): Promise<S | undefined>;
  /** Restores the numbers of the save that a state came from into the buffers. */
  restore(state: S, parameters: Parameters, optimizer: Optimizer): Promise<void>;
  /** Keeps the parameters of the best evaluation. */
  saveBest(parameters: Parameters): Promise<void>;
  loadBest(parameters: Parameters): Promise<void>;
  /** What a user does to continue from here. */
  readonly howToResume: string;
}

/**
 * What saves a training's state, unless that is what was saved last. `first`: the state that the training begins with;
 * `tell` is called before each save.
 */
export function saver<S extends TrainingState>(
  checkpoints: Checkpoints<S>,
  { parameters, optimizer }: { readonly parameters: Parameters; readonly optimizer: Optimizer },
  first: S,
  tell: (step: number) => void | Promise<void>,
): (state: S) => Promise<void> {
  let saved = first;
  return async (state) => {
    if (saved === state) return;
    await tell(state.step);
    await checkpoints.save(state, parameters, optimizer);
    saved = state;
  };
}
