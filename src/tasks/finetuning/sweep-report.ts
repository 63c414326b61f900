import { markdownTable } from "../folder/figure-tables.ts";

/** A recipe and how its trainings, one for each seed and fold, came out. */
export interface SweepRow {
  readonly learningRate: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly runs: readonly SweepRun[];
  readonly mean: number;
  /** Of the scores, with n - 1; 0 for a single one. */
  readonly deviation: number;
  /** Folder of the training with the highest score; without a model where all of them broke down. */
  readonly best: string;
}

/** One training of a recipe. */
export interface SweepRun {
  /** Its folder inside the output folder. */
  readonly name: string;
  readonly seed: number;
  /** The part of the training file that was held back, from 0. */
  readonly fold: number | undefined;
  /** NaN, in JSON null, where the training broke down. */
  readonly score: number;
  /** The code of the error that it broke down with, if it did. */
  readonly brokenDown?: string;
}

/** The table of a sweep: a head, then a row for each recipe. */
export function sweepCells(rows: readonly SweepRow[]): string[][] {
  const head = ["rate", "batch", "epochs", "mean score", "deviation", "trainings"];
  const body = rows.map(({ learningRate, batchSize, epochs, runs, mean, deviation }) => [
    String(learningRate),
    String(batchSize),
    String(epochs),
    ...scoreCells(runs, mean, deviation),
    String(runs.length),
  ]);
  return [head, ...body];
}

function scoreCells(runs: readonly SweepRun[], mean: number, deviation: number): string[] {
  const broken = runs.filter(({ brokenDown }) => brokenDown !== undefined).length;
  if (broken === 0) return [mean.toFixed(4), deviation.toFixed(4)];
  return [broken === runs.length ? "broke down" : `${broken} of ${runs.length} broke down`, "-"];
}

/** Says where the best model is, its folder between `quote`s: that of the first recipe of which any training came through. */
export function bestModel(rows: readonly SweepRow[], quote = ""): string {
  const row = rows.find(({ runs }) => runs.some(({ score }) => !Number.isNaN(score)));
  if (row === undefined) return "All trainings broke down, so there is no model. Try lower learning rates.";
  return `The best model is in ${quote}${row.best}${quote}.`;
}

/** The table as a Markdown file beside the folders of the trainings. `measuredOn` is what the scores are of: "5 folds of train.tsv". */
export function sweepReport(rows: readonly SweepRow[], measuredOn: string): string {
  return `# Recipes by their mean score

Scores on ${measuredOn}; the deviation is that between trainings. \`sweep.json\` has the score of each.

${markdownTable(sweepCells(rows))}

${bestModel(rows, "`")}
`;
}
