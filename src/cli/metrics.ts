import { z } from "zod";

type Metrics = Readonly<Record<string, unknown>>;

/** Figures as a person reads them: single numbers, then a table by label or type, then the confusion matrix. */
export function formatMetrics(metrics: Metrics, labels: readonly string[]): string {
  const tables = [singleFigures(metrics), figuresByLabel(metrics, labels), figuresByType(metrics)];
  return [...tables, confusion(metrics, labels)]
    .flatMap((rows) => (rows === undefined ? [] : formatTable(rows)))
    .join("\n\n");
}

/** Columns aligned: the first to the left, numbers to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Figures that count; a share may be a whole number too. */
const COUNTS = [
  "examples",
  "entities",
  "words",
  "total",
  "invalidTransitions",
  "sequences",
  "maskedTokens",
  "missing",
  "unknown",
];

/** Counts as they are, all else to four digits. */
export function formatFigure(name: string, value: number): string {
  return COUNTS.includes(name) ? String(value) : value.toFixed(4);
}

/** Numbers by their names, those of a group with its name before them: `hasAnswer.f1` becomes "has answer f1". */
function singleFigures(metrics: Metrics, group = ""): string[][] {
  return Object.entries(metrics).flatMap(([name, value]) => {
    const title = `${group}${spelledOut(name)}`;
    if (typeof value === "number") return [[title, formatFigure(name, value)]];
    return isGroup(value) ? singleFigures(value, `${title} `) : [];
  });
}

function isGroup(value: unknown): value is Metrics {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `macroF1` becomes "macro F1", `mcc` "MCC". */
function spelledOut(name: string): string {
  if (name === "mcc") return "MCC";
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/\bf1\b/, "F1");
}

const Scores = z.object({ precision: z.number(), recall: z.number(), f1: z.number(), support: z.number() });
const SCORES = ["precision", "recall", "F1", "examples"];

function scoreCells({ precision, recall, f1, support }: z.infer<typeof Scores>): string[] {
  return [precision.toFixed(4), recall.toFixed(4), f1.toFixed(4), String(support)];
}

function figuresByLabel(metrics: Metrics, labels: readonly string[]): string[][] | undefined {
  const { data } = z.array(Scores).safeParse(metrics.perLabel);
  return data && [["label", ...SCORES], ...data.map((scores, i) => [labels[i], ...scoreCells(scores)])];
}

function figuresByType(metrics: Metrics): string[][] | undefined {
  const { data } = z.array(Scores.extend({ type: z.string() })).safeParse(metrics.perType);
  return data && [["type", ...SCORES], ...data.map((scores) => [scores.type, ...scoreCells(scores)])];
}

/** More labels make a matrix wider than a screen. */
const MOST_LABELS = 12;

function confusion(metrics: Metrics, labels: readonly string[]): string[][] | undefined {
  const { data } = z.array(z.array(z.number())).safeParse(metrics.confusion);
  if (data === undefined || labels.length > MOST_LABELS) return undefined;
  return [["true \\ predicted", ...labels], ...data.map((row, i) => [labels[i], ...row.map(String)])];
}
