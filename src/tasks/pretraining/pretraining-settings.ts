import { ClozeError } from "../../base/errors.ts";
import type { MaskUnit } from "../../data/masking.ts";
import { leastLength, type Pairing } from "../../data/sentence-pairs.ts";
import type { OptimizerName } from "../../optim/optimizers.ts";
import { requireOption } from "../../optim/options.ts";
import type { ScheduleName } from "../../optim/schedule.ts";
import type { Objective } from "./pretraining.ts";

/** The recipe of a pre-training: all that its result depends on, beside data and first weights. */
export interface PretrainingSettings {
  /** Updates of the model. */
  readonly steps: number;
  /** Tokens of one update, special ones included. */
  readonly batchTokens: number;
  /** Parts that a batch is run in, one after another: the same update in less memory. */
  readonly accumulate: number;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  /** Updates over which the learning rate rises. */
  readonly warmupSteps: number;
  readonly schedule: ScheduleName;
  readonly weightDecay: number;
  /** Largest global norm of the gradient. */
  readonly clipNorm: number;
  /** Tokens of a sequence at most. */
  readonly maxLength: number;
  /** Another length for the last part of the updates, as the paper has 512 for its last tenth. */
  readonly lastStage?: { readonly maxLength: number; readonly share: number };
  readonly pairs: Pairing;
  readonly objective: Objective;
  readonly mask: MaskUnit;
  readonly maskRate: number;
  /** Make so many sets of instances and use them again, rather than new ones in each epoch. */
  readonly duplicates?: number;
  /** Dropout while pre-training; the model's own rates if left out. */
  readonly dropout?: number;
  readonly seed: number;
}

/**
 * The defaults: the paper's recipe (Devlin et al. 2019, appendix A.2) with the batch and the learning rate of one machine,
 * see docs/pretraining.md.
 */
export const PRETRAINING_DEFAULTS = {
  steps: 10_000,
  batchTokens: 4096,
  accumulate: 1,
  optimizer: "adamw",
  learningRate: 1e-3,
  schedule: "linear",
  weightDecay: 0.01,
  clipNorm: 1,
  maxLength: 128,
  pairs: "next-sentence",
  mask: "token",
  maskRate: 0.15,
  seed: 42,
} as const satisfies Omit<PretrainingSettings, "objective" | "warmupSteps">;

/** What does not change the result. */
export interface Intervals {
  /** Updates between evaluations. */
  readonly evaluateEvery: number;
  /** Updates between checkpoints. */
  readonly checkpointEvery: number;
  /** How many of the latest checkpoints stay. */
  readonly keep: number;
}

export const INTERVAL_DEFAULTS = { evaluateEvery: 1000, checkpointEvery: 500, keep: 3 } as const satisfies Intervals;

/** Fills in the defaults. Throws OPTION_INVALID. */
export function completeIntervals(given: Partial<Intervals>): Intervals {
  const { evaluateEvery, checkpointEvery, keep } = INTERVAL_DEFAULTS;
  const intervals = {
    evaluateEvery: given.evaluateEvery ?? evaluateEvery,
    checkpointEvery: given.checkpointEvery ?? checkpointEvery,
    keep: given.keep ?? keep,
  };
  for (const [name, value] of Object.entries(intervals)) requireCount(name, value);
  return intervals;
}

/** Default share of the updates over which the learning rate rises. */
const WARMUP_SHARE = 0.1;

/** Fills in the defaults. Throws OPTION_INVALID for values that are out of range or contradict each other. */
export function completeSettings(given: Partial<PretrainingSettings>): PretrainingSettings {
  const { pairs = PRETRAINING_DEFAULTS.pairs, steps = PRETRAINING_DEFAULTS.steps } = given;
  const settings: PretrainingSettings = {
    ...PRETRAINING_DEFAULTS,
    ...definedOnly(given),
    warmupSteps: given.warmupSteps ?? Math.round(steps * WARMUP_SHARE),
    objective: given.objective ?? (pairs === "none" ? "masked-lm" : "pretraining"),
  };
  requireRange(settings);
  if (settings.pairs === "none" && settings.objective === "pretraining") {
    throw new ClozeError("OPTION_INVALID", {
      problem: "without pairs there is nothing to learn about them",
      expected: "--objective masked-lm beside --pairs none",
      received: "--objective pretraining",
    });
  }
  return settings;
}

const OPTIONAL = ["lastStage", "duplicates", "dropout"] as const;

/** The settings among some options, without those that are undefined. */
function definedOnly(given: Partial<PretrainingSettings>): Partial<PretrainingSettings> {
  const names = [...OPTIONAL, ...Object.keys(PRETRAINING_DEFAULTS)] as (keyof PretrainingSettings)[];
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));
}

function requireCount(name: string, value: number): void {
  requireOption(Number.isSafeInteger(value) && value > 0, name, value, "a whole number above 0");
}

function requireRange(settings: PretrainingSettings): void {
  for (const name of ["steps", "batchTokens", "accumulate", "maxLength", "duplicates"] as const) {
    requireCount(name, settings[name] ?? 1);
  }
  const { seed, clipNorm } = settings;
  requireOption(Number.isSafeInteger(seed) && seed >= 0, "seed", seed, "a whole number, 0 or more");
  requireOption(clipNorm > 0, "clipNorm", clipNorm, "more than 0 (Infinity for no clipping)");
  const { lastStage, dropout = 0, maskRate } = settings;
  requireOption(dropout >= 0 && dropout < 1, "dropout", dropout, "at least 0 and less than 1");
  requireOption(maskRate > 0 && maskRate < 1, "maskRate", maskRate, "more than 0 and less than 1");
  if (lastStage !== undefined) {
    const { share, maxLength } = lastStage;
    requireOption(share > 0 && share < 1, "the share of the last stage", share, "between 0 and 1");
    requireCount("the length of the last stage", maxLength);
    const first = stageStart(settings);
    requireOption(
      first > 0 && first < settings.steps,
      "the share of the last stage",
      share,
      "a step or more for each stage",
    );
  }
  const shortest = leastLength(settings.pairs);
  requireOption(settings.maxLength >= shortest, "maxLength", settings.maxLength, `at least ${shortest}`);
  const longest = longestOf(settings);
  requireOption(
    settings.batchTokens >= longest,
    "batchTokens",
    settings.batchTokens,
    `at least ${longest}, a sequence`,
  );
}

/** The updates before the last stage; all of them where there is one stage only. */
export function stageStart({ steps, lastStage }: PretrainingSettings): number {
  return lastStage === undefined ? steps : Math.round(steps * (1 - lastStage.share));
}

/** Tokens of the longest sequences that come within so many updates, by default in all of them. */
export function longestOf(settings: PretrainingSettings, steps = settings.steps): number {
  const { maxLength, lastStage } = settings;
  return lastStage !== undefined && steps > stageStart(settings) ? Math.max(maxLength, lastStage.maxLength) : maxLength;
}

/** The settings with one value a name, as a checkpoint keeps them. */
export function flatSettings({ lastStage, ...settings }: PretrainingSettings): Record<string, number | string> {
  return lastStage === undefined ? settings : { ...settings, lastStage: `${lastStage.maxLength}:${lastStage.share}` };
}
