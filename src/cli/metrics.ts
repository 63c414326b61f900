import { z } from "zod";
import { scoreRows } from "../tasks/folder/figure-tables.ts";

type Metrics = Readonly<Record<string, unknown>>;

/** Figures as a person reads them: single numbers, then a table by label or type, then the confusion matrix. */
export function formatMetrics(metrics: Metrics, labels: readonly string[]): string {
  return [singleFigures(metrics), scoreRows(metrics, labels), confusion(metrics, labels)]
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

/** More labels make a matrix wider than a screen. */
const MOST_LABELS = 12;

function confusion(metrics: Metrics, labels: readonly string[]): string[][] | undefined {
  const { data } = z.array(z.array(z.number())).safeParse(metrics.confusion);
  if (data === undefined || labels.length > MOST_LABELS) return undefined;
  return [["true \\ predicted", ...labels], ...data.map((row, i) => [labels[i], ...row.map(String)])];
}
