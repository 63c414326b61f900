import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { recoverAtomicWrite, writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { formatJson, parseJson } from "../../formats/json.ts";
import { nameSome } from "../../formats/output-folder.node.ts";
import { type Breakdown, isBreakdown } from "./breakdown.node.ts";
import type { FinetuneResult } from "./finetune.node.ts";
import type { FinetuneEvent, FinetuneOptions } from "./finetune-options.node.ts";
import { type SweepRow, type SweepRun, sweepReport } from "./sweep-report.ts";

export type { SweepRow, SweepRun };

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

/** What a sweep chooses for each training, so that it cannot be asked for. */
const CHOSEN = [
  "learningRate",
  "batchSize",
  "epochs",
  "seed",
  "fold",
  "resume",
] as const satisfies (keyof FinetuneOptions)[];

export interface SweepOptions extends Omit<FinetuneOptions, (typeof CHOSEN)[number] | "onEvent">, SweepGrid {
  /** The sweep goes on when what it returns is settled. */
  readonly onEvent?: (event: SweepEvent) => void | Promise<void>;
}

export type SweepEvent =
  /** A training begins, or goes on where it was stopped. */
  | { readonly kind: "run"; readonly name: string; readonly index: number; readonly total: number }
  | { readonly kind: "training"; readonly event: FinetuneEvent }
  /** The training broke down, now or when it was tried before; the sweep goes on. */
  | { readonly kind: "breakdown"; readonly error: Breakdown };

/**
 * Fine-tunes with every combination of a grid, each in a folder of its own inside the output folder, and ranks the recipes by
 * their mean score; `sweep.json` and `sweep.md` in the output folder have the ranking. Called again it keeps what has ended or
 * broken down, and goes on where it was stopped; what broke down is trained anew where its folder was deleted. Throws
 * OPTION_INVALID where there is nothing to measure on or to try, OUTPUT_NOT_EMPTY where the folder has the ranking of another
 * sweep, and what a training throws.
 */
export async function runSweep(
  finetune: (options: FinetuneOptions) => Promise<FinetuneResult>,
  options: SweepOptions,
): Promise<SweepRow[]> {
  const chosen = CHOSEN.find((name) => Object.hasOwn(options, name));
  if (chosen !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `there is no option ${chosen} of a sweep, which chooses it for each training`,
      expected: "learningRates, batchSizes, epochCounts, seeds, folds",
    });
  }
  const {
    learningRates = SWEEP_DEFAULTS.learningRates,
    batchSizes = SWEEP_DEFAULTS.batchSizes,
    folds,
    ...others
  } = options;
  const { epochCounts = SWEEP_DEFAULTS.epochCounts, seeds = SWEEP_DEFAULTS.seeds, onEvent, ...shared } = others;
  if ((shared.dev === undefined) === (folds === undefined)) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "a sweep compares scores on a dev file, or on parts of the training file",
      expected: "--dev, or --folds",
      received: folds === undefined ? "neither" : "both",
    });
  }
  const grid = {
    "--learning-rates": learningRates,
    "--batch-sizes": batchSizes,
    "--epochs": epochCounts,
    "--seeds": seeds,
  };
  for (const [option, values] of Object.entries(grid)) requireDistinct(option, values);
  if (folds !== undefined && !(Number.isInteger(folds) && folds >= 2)) {
    const problem = "the training file cannot be divided into so many --folds";
    throw new ClozeError("OPTION_INVALID", { problem, expected: "2 or more", received: String(folds) });
  }
  const recipes = epochCounts.flatMap((epochs) =>
    batchSizes.flatMap((batchSize) => learningRates.map((learningRate) => ({ learningRate, batchSize, epochs }))),
  );
  const parts = folds === undefined ? [undefined] : Array.from({ length: folds }, (_, index) => ({ index, of: folds }));
  const repeats = seeds.flatMap((seed) => parts.map((fold) => ({ seed, fold })));
  const total = recipes.length * repeats.length;
  if (total === 0) {
    const expected = "a learning rate, a batch size, a number of epochs, a seed and, if any, folds";
    throw new ClozeError("OPTION_INVALID", { problem: "a sweep has nothing to try", expected });
  }
  if (!shared.overwrite) {
    await requireKept(
      shared.output,
      recipes.flatMap((recipe) => repeats.map((repeat) => nameOf(recipe, repeat))),
    );
  }
  const rows: SweepRow[] = [];
  let index = 0;
  for (const recipe of recipes) {
    const runs: SweepRun[] = [];
    for (const repeat of repeats) {
      const name = nameOf(recipe, repeat);
      const run = { kind: "run", name, index: index++, total } as const;
      const output = join(shared.output, name);
      let hasBegun = false;
      const report = async (event: FinetuneEvent) => {
        if (!hasBegun) await onEvent?.(run); // not before: what is wrong with options and files is no training's fault
        hasBegun = true;
        await onEvent?.({ kind: "training", event });
      };
      const training = finetune({
        ...shared,
        ...recipe,
        ...repeat,
        output,
        resume: !shared.overwrite,
        onEvent: report,
      });
      const outcome = await training.catch(breakdownOf);
      if (isBreakdown(outcome)) await onEvent?.({ kind: "breakdown", error: outcome });
      runs.push({ name, seed: repeat.seed, fold: repeat.fold?.index, ...scoreOf(outcome) });
    }
    rows.push({ ...recipe, runs, ...summary(runs, shared.output) });
  }
  const rank = ({ mean }: SweepRow) => (Number.isNaN(mean) ? Number.NEGATIVE_INFINITY : mean);
  rows.sort((a, b) => rank(b) - rank(a) || 0); // two that broke down are equal
  const measuredOn = folds === undefined ? `${shared.dev}` : `${folds} folds of ${shared.train}`;
  await saveRanking(rows, shared.output, measuredOn);
  return rows;
}

/** A value twice would be one training that counts as two. Throws OPTION_INVALID. */
function requireDistinct(option: string, values: readonly number[]): void {
  const repeated = values.find((value, i) => values.indexOf(value) < i);
  if (repeated === undefined) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `${option} has a value twice`,
    expected: "each value once",
    received: `${repeated} again, in ${values.join(",")}`,
  });
}

const Ranking = z.object({ rows: z.array(z.object({ runs: z.array(z.object({ name: z.string() })) })) });

/** A ranking that is there may grow, not lose trainings. Throws OUTPUT_NOT_EMPTY where some of its are not `planned`. */
async function requireKept(output: string, planned: readonly string[]): Promise<void> {
  const path = join(output, "sweep.json");
  const text = await readFile(path, "utf8").catch(() => "");
  const { data } = Ranking.safeParse(parseJson(text, () => undefined));
  const names = data?.rows.flatMap(({ runs }) => runs.map(({ name }) => name)) ?? [];
  const lost = names.filter((name) => !planned.includes(name));
  if (lost.length === 0) return;
  throw new ClozeError("OUTPUT_NOT_EMPTY", {
    problem: `${path} is the ranking of another sweep`,
    expected: "one whose trainings are all among those of this sweep",
    received: nameSome(lost),
    cure: "Name another folder, give these values too, or begin anew with --overwrite.",
  });
}

/** Writes the table for programs and for people. */
async function saveRanking(rows: readonly SweepRow[], output: string, measuredOn: string): Promise<void> {
  const named = rows.map((row) => ({ ...row, best: basename(row.best) })); // the folder may be moved
  const files = {
    "sweep.json": formatJson({ measuredOn, rows: named }),
    "sweep.md": sweepReport(named, measuredOn),
  };
  for (const [name, content] of Object.entries(files)) {
    await recoverAtomicWrite(join(output, name));
    await writeFileAtomic(join(output, name), content);
  }
}

/** A recipe whose loss breaks down is the worst there is, and no reason to stop. Throws every other error. */
function breakdownOf(error: unknown): Breakdown {
  if (isBreakdown(error)) return error;
  throw error;
}

function scoreOf(outcome: FinetuneResult | Breakdown): Pick<SweepRun, "score" | "brokenDown"> {
  if (isBreakdown(outcome)) return { score: Number.NaN, brokenDown: outcome.code };
  return { score: outcome.score ?? Number.NaN };
}

type Recipe = Pick<SweepRow, "learningRate" | "batchSize" | "epochs">;
type Repeat = Pick<FinetuneOptions, "seed" | "fold">;

function nameOf({ learningRate, batchSize, epochs }: Recipe, { seed, fold }: Repeat): string {
  const part = fold === undefined ? "" : `-fold-${fold.index + 1}-of-${fold.of}`;
  return `rate-${learningRate}-batch-${batchSize}-epochs-${epochs}-seed-${seed}${part}`;
}

function summary(runs: readonly SweepRun[], output: string): Pick<SweepRow, "mean" | "deviation" | "best"> {
  const mean = runs.reduce((sum, { score }) => sum + score, 0) / runs.length;
  const squares = runs.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = runs.length === 1 ? 0 : Math.sqrt(squares / (runs.length - 1));
  const best = runs.reduce((best, run) => (run.score > best.score || Number.isNaN(best.score) ? run : best));
  return { mean, deviation, best: join(output, best.name) };
}
