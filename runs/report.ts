/**
 * Writes the table of docs/results.md: the baselines, measured anew, and the trainings that runs/results.sh has ended. Where
 * there are none of a task and start, the page's own figure stays, so that tasks can be trained one at a time.
 *
 *     npx tsx runs/report.ts path/to/data [results-output] [docs/results.md]
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Baseline, measureBaselines } from "./baselines.ts";

interface Row {
  readonly name: string;
  /** Its folder, and its name in runs/results.sh. */
  readonly task: string;
  readonly figure: string;
  /** What metrics.json calls the figure. */
  readonly key: string;
  readonly measuredOn: string;
  /** Whether that is a test file, beside a dev file that chose the epoch. */
  readonly judged?: boolean;
  readonly simple: string;
}

const ROWS: readonly Row[] = [
  {
    name: "SST-2",
    task: "sst2",
    figure: "accuracy",
    key: "accuracy",
    measuredOn: "dev, 872 sentences",
    simple: "naive Bayes",
  },
  {
    name: "CoLA",
    task: "cola",
    figure: "MCC",
    key: "mcc",
    measuredOn: "dev, 1,043 sentences",
    simple: "naive Bayes",
  },
  {
    name: "STS-B",
    task: "stsb",
    figure: "Spearman",
    key: "spearman",
    measuredOn: "dev, 1,500 pairs",
    simple: "shared words",
  },
  {
    name: "SICK, entailment",
    task: "sick",
    figure: "accuracy",
    key: "accuracy",
    measuredOn: "test, 4,927 pairs",
    judged: true,
    simple: "naive Bayes",
  },
  {
    name: "WNUT-17",
    task: "wnut17",
    figure: "entity F1",
    key: "f1",
    measuredOn: "test, 1,287 sentences",
    judged: true,
    simple: "commonest tag",
  },
  {
    name: "Wikigold",
    task: "wikigold",
    figure: "entity F1",
    key: "f1",
    measuredOn: "29 of 145 documents",
    simple: "commonest tag",
  },
  {
    name: "SQuAD",
    task: "squad",
    figure: "exact match",
    key: "exactMatch",
    measuredOn: "10 of 48 articles",
    simple: "near words",
  },
  { name: "SQuAD", task: "squad", figure: "F1", key: "f1", measuredOn: "10 of 48 articles", simple: "near words" },
  {
    name: "E-mail, ham or spam",
    task: "mails",
    figure: "accuracy",
    key: "accuracy",
    measuredOn: "test, 1,188 mails",
    judged: true,
    simple: "naive Bayes",
  },
];

const HEAD = ["task", "figure", "measured on", "commonest label", "a simple method", "random weights", "pre-trained"];
const [BEGIN, END] = ["<!-- written by runs/report.ts -->", "<!-- end -->"];

const [data, out = "results-output", page = "docs/results.md"] = process.argv.slice(2);
const text = readFileSync(page, "utf8");
const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
if (before < 0 || after < before) throw new Error(`${page} has no lines ${BEGIN} and ${END} to write between`);
const known = text
  .slice(before, after)
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()));
const baselines = await measureBaselines(data, out);
const table = [HEAD, HEAD.map(() => "---"), ...ROWS.map((row) => cells(row, baselines[row.task]))];
const lines = table.map((row) => `| ${row.join(" | ")} |`);
writeFileSync(page, `${text.slice(0, before) + BEGIN}\n\n${lines.join("\n")}\n\n${text.slice(after)}`);

function cells(row: Row, { majority, simple }: Baseline): string[] {
  const { name, figure, measuredOn, key } = row;
  const commonest = majority === undefined ? "" : majority[key].toFixed(3);
  const old = known.find(([, task, of]) => task === name && of === figure)?.slice(-3) ?? []; // its two last cells
  const trained = ["random", "pretrained"].map((start, i) => meanAndDeviation(scoresOf(row, start)) || (old[i] ?? ""));
  return [name, figure, measuredOn, commonest, `${simple[key].toFixed(3)} (${row.simple})`, ...trained];
}

/** A figure for each seed, as far as they are there. */
function scoresOf({ task, key, judged }: Row, start: string): number[] {
  const folder = join(out, task, start);
  const file = judged ? "test.json" : "metrics.json";
  const runs = existsSync(folder) ? readdirSync(folder).filter((run) => existsSync(join(folder, run, file))) : [];
  const recipes = new Set(runs.map((run) => run.replace(/-seed-\d+$/, "")));
  if (recipes.size > 1) throw new Error(`${folder} has trainings of several recipes: ${[...recipes].join(", ")}`);
  const Figures = z.looseObject({ [key]: z.number() });
  return runs.map((run) => Number(Figures.parse(JSON.parse(readFileSync(join(folder, run, file), "utf8")))[key]));
}

/** With n - 1; empty where nothing has been trained. */
function meanAndDeviation(scores: readonly number[]): string {
  if (scores.length === 0) return "";
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  if (scores.length === 1) return `${mean.toFixed(3)} (one seed)`;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return `${mean.toFixed(3)} ± ${Math.sqrt(squares / (scores.length - 1)).toFixed(3)}`;
}
