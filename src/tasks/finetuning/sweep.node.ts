import { join } from "node:path";
import { ClozeError } from "../../base/errors.ts";
import type { FinetuneEvent, FinetuneOptions, FinetuneResult } from "./finetune.node.ts";

/** What a sweep tries; the paper's grid where it is left out (Devlin et al. 2019, appendix A.3). */
export interface SweepGrid {
  readonly learningRates?: readonly number[];
  readonly batchSizes?: readonly number[];
  readonly epochCounts?: readonly number[];
  readonly seeds?: readonly number[];
  /** Cross-validation: each of so many parts of the training file is the dev data once. */
  readonly folds?: number;
}

export const SWEEP_DEFAULTS = {
  learningRates: [5e-5, 3e-5, 2e-5],
  batchSizes: [16, 32],
  epochCounts: [2, 3, 4],
  seeds: [42],
} as const satisfies SweepGrid;

export interface SweepOptions
  extends Omit<FinetuneOptions, "learningRate" | "batchSize" | "epochs" | "seed" | "fold" | "resume" | "onEvent">,
    SweepGrid {
  readonly onEvent?: (event: SweepEvent) => void;
}

export type SweepEvent =
  /** A training begins, or goes on where it was stopped. */
  | { readonly kind: "run"; readonly name: string; readonly index: number; readonly total: number }
  | { readonly kind: "training"; readonly event: FinetuneEvent };

/** A recipe and how its trainings, one for each seed and fold, came out. */
export interface SweepRow {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly scores: readonly number[];
  readonly mean: number;
  /** Of the scores, with n - 1; 0 for a single one. */
  readonly deviation: number;
  /** Folder of the training with the highest score. */
  readonly best: string;
}

interface Run {
  readonly name: string;
  readonly options: Pick<FinetuneOptions, "learningRate" | "batchSize" | "epochs" | "seed" | "fold">;
}

/**
 * Fine-tunes with every combination of a grid, each in a folder of its own inside the output folder, and ranks the recipes by
 * their mean score. Called again it keeps what has ended and goes on where it was stopped. Throws OPTION_INVALID where there is
 * nothing to measure on, and what a training throws.
 */
export async function runSweep(
  finetune: (options: FinetuneOptions) => Promise<FinetuneResult>,
  options: SweepOptions,
): Promise<SweepRow[]> {
  const {
    learningRates = SWEEP_DEFAULTS.learningRates,
    batchSizes = SWEEP_DEFAULTS.batchSizes,
    folds,
    ...others
  } = options;
  const { epochCounts = SWEEP_DEFAULTS.epochCounts, seeds = SWEEP_DEFAULTS.seeds, onEvent, ...shared } = others;
  if (shared.dev === undefined && folds === undefined) {
    throw new ClozeError("OPTION_INVALID", { problem: "a sweep compares scores", expected: "--dev, or --folds" });
  }
  const recipes = epochCounts.flatMap((epochs) =>
    batchSizes.flatMap((batchSize) => learningRates.map((learningRate) => ({ learningRate, batchSize, epochs }))),
  );
  const parts = folds === undefined ? [undefined] : Array.from({ length: folds }, (_, index) => ({ index, of: folds }));
  const repeats = seeds.flatMap((seed) => parts.map((fold) => ({ seed, fold })));
  const total = recipes.length * repeats.length;
  const rows: SweepRow[] = [];
  let index = 0;
  for (const recipe of recipes) {
    const results: FinetuneResult[] = [];
    for (const repeat of repeats) {
      const run = describeRun({ ...recipe, ...repeat });
      onEvent?.({ kind: "run", name: run.name, index: index++, total });
      const output = join(shared.output, run.name);
      const report = (event: FinetuneEvent) => onEvent?.({ kind: "training", event });
      const training = finetune({ ...shared, ...run.options, output, resume: !shared.overwrite, onEvent: report });
      results.push(await training.catch((error) => brokenDown(error, output)));
    }
    rows.push({ ...recipe, ...summary(results) });
  }
  const rank = ({ mean }: SweepRow) => (Number.isNaN(mean) ? Number.NEGATIVE_INFINITY : mean);
  return rows.sort((a, b) => rank(b) - rank(a) || 0); // two that broke down are equal
}

/** A recipe whose loss breaks down is the worst there is, and no reason to stop. Throws every other error. */
function brokenDown(error: unknown, output: string): FinetuneResult {
  if (!(error instanceof ClozeError && BREAKDOWNS.has(error.code))) throw error;
  return { output, labels: [], steps: 0, score: undefined, metrics: undefined };
}

const BREAKDOWNS: ReadonlySet<string> = new Set(["LOSS_NOT_FINITE", "LOGITS_NOT_FINITE"]);

function describeRun(options: Run["options"]): Run {
  const { learningRate, batchSize, epochs, seed, fold } = options;
  const part = fold === undefined ? "" : `-fold-${fold.index + 1}-of-${fold.of}`;
  return { name: `rate-${learningRate}-batch-${batchSize}-epochs-${epochs}-seed-${seed}${part}`, options };
}

function summary(results: readonly FinetuneResult[]): Pick<SweepRow, "scores" | "mean" | "deviation" | "best"> {
  const scores = results.map(({ score = Number.NaN }) => score);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const deviation = scores.length === 1 ? 0 : Math.sqrt(squares / (scores.length - 1));
  const best = scores.reduce((best, score, i) => (score > scores[best] || Number.isNaN(scores[best]) ? i : best), 0);
  return { scores, mean, deviation, best: results[best].output };
}
