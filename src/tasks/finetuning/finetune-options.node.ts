import { ClozeError } from "../../base/errors.ts";
import type { Device, Precision } from "../../executors/executor.node.ts";
import { TRAINING_DEFAULTS, type TrainingEvent, type TrainingOptions } from "../../train/train.ts";
import type { DEFAULT_MAX_LENGTH, Examples } from "../definitions/task.ts";
import type { OutputOptions } from "../folder/output-folder.node.ts";

export interface FinetuneOptions extends OutputOptions, Partial<TrainingOptions> {
  /**
   * A model folder to start from, or a preset or a config.json, which start from random weights. Default: the model that
   * comes with the package.
   */
  readonly model?: string;
  /** The vocabulary of a preset or config.json: a vocab.txt, a tokenizer.json or a folder with either. */
  readonly vocab?: string;
  readonly train: string;
  readonly dev?: string;
  /**
   * In place of `dev`: part `index`, from 0, of `of` equal parts of the training file is held back, drawn by chance; what
   * belongs together stays together.
   */
  readonly fold?: { readonly index: number; readonly of: number };
  /**
   * Tokens of a sequence at most, special tokens included. Default: the task's, {@link DEFAULT_MAX_LENGTH} for most, or as many
   * as the model takes.
   */
  readonly maxLength?: number;
  readonly device?: Device;
  readonly precision?: Precision<"training">;
  readonly threads?: number;
  /** Have ONNX Runtime compute on a thread of its own; slower, since all numbers are copied. Default false. */
  readonly worker?: boolean;
  /** Training goes on when what it returns is settled. */
  readonly onEvent?: (event: FinetuneEvent) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** The names of all, since a program may have misspelt one. */
export const FINETUNE_OPTIONS: Readonly<Record<keyof FinetuneOptions, true>> = {
  model: true,
  vocab: true,
  train: true,
  dev: true,
  fold: true,
  output: true,
  resume: true,
  overwrite: true,
  maxLength: true,
  epochs: true,
  batchSize: true,
  accumulate: true,
  recompute: true,
  learningRate: true,
  warmupRatio: true,
  weightDecay: true,
  layerDecay: true,
  freezeLayers: true,
  clipNorm: true,
  patience: true,
  checkpointEvery: true,
  seed: true,
  device: true,
  precision: true,
  threads: true,
  worker: true,
  onEvent: true,
  signal: true,
};

export type FinetuneEvent =
  | TrainingEvent
  /** A file was read. */
  | ({ readonly kind: "data" } & FileReport)
  /** The model is ready to train. */
  | {
      readonly kind: "model";
      readonly parameters: number;
      readonly labels: readonly string[];
      /** Weights that start from random values. */
      readonly fresh: readonly string[];
      /** Weights of the folder that the task has no use for. */
      readonly unused: readonly string[];
    }
  /** The training that was to be resumed has ended; its model is in the output folder. */
  | { readonly kind: "ended"; readonly steps: number };

/**
 * What became of a file: `skipped` says what was left out, by reason, be it in reading or because there is nothing to learn
 * from it, and `places` where that stood.
 */
export interface FileReport extends Pick<Examples<unknown, unknown>, "file" | "skipped" | "places" | "notes"> {
  readonly examples: number;
  /** How many inputs were too long and cut. */
  readonly truncated: number;
}

/** The options of the training itself, with its defaults. Throws OPTION_INVALID for patience without anything to measure. */
export function trainingOptions(options: FinetuneOptions): TrainingOptions {
  const { patience, checkpointEvery, freezeLayers, recompute } = options;
  if (patience !== undefined && options.dev === undefined && options.fold === undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "without data to evaluate on there is nothing to be patient about",
      expected: "--dev beside --patience",
    });
  }
  const names = Object.keys(TRAINING_DEFAULTS) as (keyof typeof TRAINING_DEFAULTS)[];
  const chosen = names.map((name) => [name, options[name] ?? TRAINING_DEFAULTS[name]]);
  return { ...TRAINING_DEFAULTS, ...Object.fromEntries(chosen), patience, checkpointEvery, freezeLayers, recompute };
}
