import { z } from "zod";
import { planBatches } from "../data/length-groups.ts";
import type { Executor } from "../graph/executor.ts";
import type { Parameters } from "../graph/parameters.ts";
import { AdamW } from "../optim/adamw.ts";
import type { OpenKernels } from "../optim/kernels.ts";
import { requireOption } from "../optim/options.ts";
import { linearSchedule } from "../optim/schedule.ts";
import { type Checkpoints, type Settings, saver } from "./checkpoints.ts";
import { recordable, requireSameSettings, SettingsSchema } from "./settings.ts";
import { errorOfStop } from "./stop.ts";
import type { Evaluation, Trainable } from "./trainable.ts";
import { type UpdateOptions, Updater } from "./updater.ts";
import { segmentsOf } from "./weights.ts";

export interface TrainingOptions extends UpdateOptions {
  readonly epochs: number;
  /** Examples of one update. */
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of the updates over which the learning rate rises. */
  readonly warmupRatio: number;
  readonly weightDecay: number;
  /** Learning rate of each layer as a multiple of that of the one above it. */
  readonly layerDecay: number;
  /** Leave the embeddings and so many of the lowest layers as they are. Default: train everything. */
  readonly freezeLayers?: number;
  /** Stop after this many evaluations without a better one. Default: never. */
  readonly patience?: number;
  /** Updates between checkpoints, beside the one at the end of each epoch. Default: none between. */
  readonly checkpointEvery?: number;
}

/** The paper's recipe for fine-tuning (Devlin et al. 2019, appendix A.3). */
export const TRAINING_DEFAULTS = {
  epochs: 3,
  batchSize: 32,
  accumulate: 1,
  learningRate: 3e-5,
  warmupRatio: 0.1,
  weightDecay: 0.01,
  layerDecay: 1,
  clipNorm: 1,
  seed: 42,
} as const satisfies TrainingOptions;

export type TrainingEvent =
  | {
      readonly kind: "step";
      /** Updates made, of `totalSteps`. */
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly learningRate: number;
      readonly gradientNorm: number;
      /** Tokens of the batch. */
      readonly tokens: number;
      /** Time that the update took. */
      readonly seconds: number;
    }
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly evaluation?: Evaluation;
    }
  /** A checkpoint is about to be written. */
  | { readonly kind: "checkpoint"; readonly step: number }
  /** `step` is 0 where there was no checkpoint yet, so that the training starts from the beginning. */
  | { readonly kind: "resumed"; readonly step: number; readonly totalSteps: number };

/** Where a fine-tuning stands, beside the numbers in its buffers. */
export const EpochState = z.object({
  step: z.int().min(0),
  /** Epochs that have ended, with their evaluation. */
  epochs: z.int().min(0),
  /** Sum of the losses of this epoch's batches so far. */
  epochLoss: z.number(),
  /** The best evaluation so far and the step that it was made after. */
  best: z
    .object({ step: z.int(), evaluation: z.object({ score: z.number(), metrics: z.record(z.string(), z.unknown()) }) })
    .nullable(),
  /** Evaluations since the best one. */
  evaluationsSinceBest: z.int().min(0),
  settings: SettingsSchema,
});
export type EpochState = Readonly<z.infer<typeof EpochState>>;

export interface Training<E> {
  readonly trainable: Trainable<E>;
  readonly examples: readonly E[];
  /** A parameter's learning rate as a multiple of the step's; those at 0 stay as they are. */
  readonly rateOf: (name: string) => number;
  /** The model, changed in place; at the end it holds the best evaluated values, or the last where nothing evaluates. */
  readonly parameters: Parameters;
  readonly executor: Executor;
  /** What passes over parameters and moments; WebAssembly by default. */
  readonly kernels?: OpenKernels;
  readonly options: TrainingOptions;
  /** Called after each epoch, on the parameters as they are; stops with the signal's reason. */
  readonly evaluate?: (signal: AbortSignal | undefined) => Promise<Evaluation>;
  readonly checkpoints: Checkpoints<EpochState>;
  /** Continue from the last checkpoint, if there is one, bit for bit as if there had been no break. */
  readonly resume?: boolean;
  /** Everything that the result depends on, to be refused where it changes between save and resume. */
  readonly settings: Settings;
  /** Called when all is loaded and checked, before anything is computed or written. */
  readonly beforeFirstStep?: () => Promise<void>;
  /** Training goes on when what it returns is settled. */
  readonly onEvent?: (event: TrainingEvent) => void | Promise<void>;
  /** Writes a checkpoint, then stops with ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Fine-tuning as in the BERT paper (Devlin et al. 2019, appendix A.3): AdamW, linear warm-up and decay, clipping by
 * global norm, batches of like length without padding.
 *
 * Batches, dropout and order are functions of the seed and the step, so nothing random has to be saved. Whatever stops it
 * between two updates, a checkpoint of the last one is written first, unless it is spoilt or there is no room for one.
 * Throws OPTION_INVALID, LOSS_NOT_FINITE, ABORTED, RESUME_MISMATCH and the errors of executors and checkpoints.
 */
export async function train<E>(training: Training<E>): Promise<EpochState> {
  const { trainable, examples, parameters, rateOf, executor, kernels, options } = training;
  const { evaluate, checkpoints, settings, onEvent, signal } = training;
  requireOptions(options);
  const { batchSize, seed } = options;
  const stepsPerEpoch = Math.ceil(examples.length / batchSize);
  const totalSteps = stepsPerEpoch * options.epochs;
  const learningRate = linearSchedule({
    learningRate: options.learningRate,
    warmupSteps: Math.round(totalSteps * options.warmupRatio),
    totalSteps,
  });
  const optimizer = new AdamW(segmentsOf(parameters, rateOf), { weightDecay: options.weightDecay, kernels });
  let state: EpochState = { step: 0, epochs: 0, epochLoss: 0, best: null, evaluationsSinceBest: 0, settings };
  if (training.resume) {
    const saved = await checkpoints.state();
    if (saved !== undefined) {
      requireSameSettings(saved, settings);
      await checkpoints.restore(saved, parameters, optimizer);
      state = saved;
    }
    await onEvent?.({ kind: "resumed", step: state.step, totalSteps });
  }

  const model = { parameters, optimizer, rateOf };
  const save = saver(checkpoints, model, state, (step) => onEvent?.({ kind: "checkpoint", step }));
  /** Ends an epoch whose updates are made; one that is stopped here is evaluated after resuming. */
  const endEpoch = async () => {
    const evaluation = await evaluate?.(signal);
    const { step, epochs: epoch, epochLoss } = state;
    await onEvent?.({ kind: "epoch", epoch, step, loss: epochLoss / stepsPerEpoch, evaluation });
    const kept = await keepBest(state, evaluation, parameters, checkpoints);
    state = { ...kept, epochs: epoch + 1, epochLoss: 0 };
    await save(state);
  };
  const updater = await Updater.load(trainable, model, executor, options);
  try {
    await training.beforeFirstStep?.();
    const lengths = examples.map((example) => trainable.length(example));
    let batches: Int32Array[] = [];
    while (state.epochs < options.epochs && !isExhausted(state, options)) {
      signal?.throwIfAborted();
      const epoch = state.epochs;
      const place = state.step - epoch * stepsPerEpoch;
      if (place === stepsPerEpoch) {
        await endEpoch();
        continue;
      }
      if (place === 0 || batches.length === 0) batches = planBatches(lengths, { batchSize, seed, epoch });
      const batch = Array.from(batches[place], (i) => examples[i]);
      const begun = performance.now();
      const rate = learningRate(state.step);
      const update = await updater.update(batch, state.step, rate, signal);
      const seconds = (performance.now() - begun) / 1000;
      state = { ...state, step: state.step + 1, epochLoss: state.epochLoss + update.loss };
      await onEvent?.({ kind: "step", step: state.step, totalSteps, epoch, learningRate: rate, ...update, seconds });
      const isDue = state.step % (options.checkpointEvery ?? Number.POSITIVE_INFINITY) === 0;
      if (isDue && place + 1 < stepsPerEpoch) await save(state); // else when the epoch has ended
    }
  } catch (error) {
    const { howToResume } = checkpoints;
    throw await errorOfStop(error, { save: () => save(state), signal, step: state.step, totalSteps, howToResume });
  } finally {
    await updater.dispose();
  }
  if (state.best !== null) await checkpoints.loadBest(parameters);
  return state;
}

/** Throws OPTION_INVALID. */
function requireOptions({ warmupRatio, layerDecay, freezeLayers = 0, ...options }: TrainingOptions) {
  for (const name of ["epochs", "batchSize", "accumulate", "patience", "checkpointEvery"] as const) {
    const value = options[name] ?? 1;
    requireOption(Number.isSafeInteger(value) && value > 0, name, value, "a whole number above 0");
  }
  requireOption(
    Number.isSafeInteger(options.seed) && options.seed >= 0,
    "seed",
    options.seed,
    "a whole number, 0 or more",
  );
  requireOption(options.clipNorm > 0, "clipNorm", options.clipNorm, "more than 0 (Infinity for no clipping)");
  requireOption(layerDecay > 0 && layerDecay <= 1, "layerDecay", layerDecay, "a number above 0, at most 1");
  requireOption(
    Number.isSafeInteger(freezeLayers) && freezeLayers >= 0,
    "freezeLayers",
    freezeLayers,
    "a whole number, 0 or more",
  );
  requireOption(warmupRatio >= 0 && warmupRatio <= 1, "warmupRatio", warmupRatio, "a number from 0 to 1");
}

/** The options that the result depends on. */
export function settingsOf(options: TrainingOptions): Settings {
  const { checkpointEvery, recompute, ...decisive } = options;
  return recordable(decisive);
}

function isExhausted({ evaluationsSinceBest }: EpochState, { patience }: TrainingOptions): boolean {
  return patience !== undefined && evaluationsSinceBest >= patience;
}

async function keepBest(
  state: EpochState,
  evaluation: Evaluation | undefined,
  parameters: Parameters,
  checkpoints: Checkpoints<EpochState>,
): Promise<EpochState> {
  if (evaluation === undefined) return state;
  if (state.best !== null && evaluation.score <= state.best.evaluation.score) {
    return { ...state, evaluationsSinceBest: state.evaluationsSinceBest + 1 };
  }
  await checkpoints.saveBest(parameters);
  return { ...state, best: { step: state.step, evaluation }, evaluationsSinceBest: 0 };
}
