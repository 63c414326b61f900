import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import type { Schedule } from "../optim/schedule.ts";
import { type Checkpoints, type Settings, saver } from "./checkpoints.ts";
import { SettingsSchema } from "./settings.ts";
import { errorOfStop } from "./stop.ts";
import type { Evaluation, Trainable } from "./trainable.ts";
import { type Model, type Update, type UpdateOptions, Updater } from "./updater.ts";

/** Where a training by steps stands, beside the numbers in its buffers. `P` is a place in its data. */
export interface StepState<P> {
  /** Updates made. */
  readonly step: number;
  /** Where the next batch begins. */
  readonly position: P;
  /** Tokens seen. */
  readonly tokens: number;
  /** Time spent on updates, over all interruptions. */
  readonly seconds: number;
  /** Whether what is to be measured at this step has been. */
  readonly evaluated: boolean;
  readonly settings: Settings;
}

/** The form of a {@link StepState} in a file. */
export function stepStateSchema<P>(position: z.ZodType<P>) {
  return z.object({
    step: z.int().min(0),
    position,
    tokens: z.int().min(0),
    seconds: z.number().min(0),
    evaluated: z.boolean(),
    settings: SettingsSchema,
  });
}

export type StepEvent =
  | (Update & {
      readonly kind: "step";
      /** Updates made. */
      readonly step: number;
      readonly learningRate: number;
      /** Time that the update took. */
      readonly seconds: number;
      /** Part of them that waited for the batch, which is made while the update before it runs. */
      readonly waiting: number;
      /** Tokens and seconds of the whole training up to here. */
      readonly total: { readonly tokens: number; readonly seconds: number };
    })
  | { readonly kind: "evaluation"; readonly step: number; readonly evaluation: Evaluation }
  /** A checkpoint is about to be written. */
  | { readonly kind: "checkpoint"; readonly step: number };

/** Some steps of a training that share the form of their data, up to step `until`. */
export interface Stage<E, P> {
  readonly until: number;
  /** Batches from a position on; the stage's own first position where it is entered. */
  batches(from: P): AsyncGenerator<{ readonly batch: readonly E[]; readonly next: P }>;
  /** Where the stage begins when the one before it ended at this position. */
  begin(after: P): P;
}

export interface StepTraining<E, P> {
  readonly trainable: Trainable<E>;
  readonly model: Model;
  readonly executor: Executor;
  readonly options: UpdateOptions;
  readonly schedule: Schedule;
  readonly stages: readonly Stage<E, P>[];
  /** Where to start, or to go on. The model must be what it was there. */
  readonly state: StepState<P>;
  readonly checkpoints: Checkpoints<StepState<P>>;
  /** Updates between checkpoints. */
  readonly checkpointEvery: number;
  /** Called after so many updates and where the training ends; stops with the signal's reason. */
  readonly evaluation?: { readonly every: number; evaluate(signal: AbortSignal | undefined): Promise<Evaluation> };
  /** Stop, with a checkpoint, after the first update that ends so many seconds later. */
  readonly maxSeconds?: number;
  /** Training goes on when what it returns is settled. */
  readonly onEvent?: (event: StepEvent) => void | Promise<void>;
  /** Writes a checkpoint, then stops with ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Training by steps over an endless stream of batches, as pre-training is done. It ends after the last stage, or, with a
 * checkpoint, after `maxSeconds`: `step` of the state that comes back tells which.
 *
 * Batches are functions of the position, dropout of seed and step, so a resumed training gives the same bits. A batch is
 * made while the update before it runs, if the executor leaves the event loop free. Whatever stops it between two updates, a
 * checkpoint of the last one is written first, unless it is spoilt or there is no room for one. Throws LOSS_NOT_FINITE,
 * ABORTED and the errors of executors, batches and checkpoints.
 */
export async function trainSteps<E, P>(training: StepTraining<E, P>): Promise<StepState<P>> {
  const { trainable, model, executor, stages, schedule, checkpoints, evaluation, onEvent, signal } = training;
  const { maxSeconds = Number.POSITIVE_INFINITY } = training;
  const lastStep = stages[stages.length - 1].until;
  let { state } = training;
  const save = saver(checkpoints, model, state, (step) => onEvent?.({ kind: "checkpoint", step }));

  /** Before the checkpoint of the step, so that an evaluation that is interrupted is made up for after resuming. */
  const evaluateIfDue = async (isOver = false) => {
    const { step, evaluated } = state;
    if (evaluation === undefined || evaluated) return;
    if (step % evaluation.every !== 0 && step !== lastStep && !isOver) return;
    const measured = await evaluation.evaluate(signal);
    await onEvent?.({ kind: "evaluation", step, evaluation: measured });
    state = { ...state, evaluated: true };
  };

  const updater = await Updater.load(trainable, model, executor, training.options);
  const started = performance.now();
  try {
    await evaluateIfDue();
    await save(state); // that it has been made up for
    for (const [i, stage] of stages.entries()) {
      if (state.step >= stage.until) continue;
      const isEntered = i > 0 && state.step === stages[i - 1].until;
      const batches = stage.batches(isEntered ? stage.begin(state.position) : state.position);
      try {
        let coming = nextOf(batches);
        await coming; // opening the data is no part of an update
        while (state.step < stage.until) {
          signal?.throwIfAborted();
          const begun = performance.now();
          const { batch, next } = await coming;
          const waiting = (performance.now() - begun) / 1000;
          const learningRate = schedule(state.step);
          const updating = updater.update(batch, state.step, learningRate, signal);
          if (state.step + 1 < stage.until) coming = inNextTurn(() => nextOf(batches));
          const update = await updating;
          const seconds = (performance.now() - begun) / 1000;
          const total = { tokens: state.tokens + update.tokens, seconds: state.seconds + seconds };
          state = { ...state, ...total, step: state.step + 1, position: next, evaluated: false };
          await onEvent?.({ kind: "step", step: state.step, learningRate, ...update, seconds, waiting, total });
          const isOver = (performance.now() - started) / 1000 >= maxSeconds;
          await evaluateIfDue(isOver);
          if (state.step % training.checkpointEvery === 0 || state.step === lastStep || isOver) await save(state);
          if (isOver) return state;
        }
      } finally {
        await batches.return(undefined);
      }
    }
    return state;
  } catch (error) {
    const { howToResume } = checkpoints;
    throw await errorOfStop(error, {
      save: () => save(state),
      signal,
      step: state.step,
      totalSteps: lastStep,
      howToResume,
    });
  } finally {
    await updater.dispose();
  }
}

/** Does the work when the event loop comes around: what was just begun is under way then. */
function inNextTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = new Promise<void>((resolve) => setTimeout(resolve, 0)).then(work);
  result.catch(() => {}); // who awaits it has the error, if anyone still does
  return result;
}

async function nextOf<T>(endless: AsyncGenerator<T>): Promise<T> {
  const { value, done } = await endless.next();
  if (done) throw new ClozeError("INTERNAL", { problem: "a stream of batches came to an end" });
  return value;
}
