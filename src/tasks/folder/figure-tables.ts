import { z } from "zod";

type Metrics = Readonly<Record<string, unknown>>;

/** The numbers among some metrics, those of groups too, as a Markdown table, to four digits. */
export function figureTable(metrics: Metrics): string {
  return markdownTable([["figure", "value"], ...figureRows(metrics)]);
}

function figureRows(metrics: object, group = ""): string[][] {
  return Object.entries(metrics).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "number") return [[`${group}${name}`, rounded(value)]];
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? figureRows(value, `${group}${name}.`)
      : [];
  });
}

function rounded(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}

const Scores = z.object({ precision: z.number(), recall: z.number(), f1: z.number(), support: z.number() });
const TypeScores = Scores.extend({ type: z.string() });

/**
 * How well each label, or type of entity, is found: a row each, below the names of the columns. Undefined where the metrics
 * do not have it.
 */
export function scoreRows(metrics: Metrics, labels: readonly string[]): string[][] | undefined {
  const { data: ofLabels } = z.array(Scores).safeParse(metrics.perLabel);
  if (ofLabels) return [["label", ...COLUMNS], ...ofLabels.map((scores, i) => [labels[i], ...cellsOf(scores)])];
  const { data: ofTypes } = z.array(TypeScores).safeParse(metrics.perType);
  return ofTypes && [["type", ...COLUMNS], ...ofTypes.map((scores) => [scores.type, ...cellsOf(scores)])];
}

const COLUMNS = ["precision", "recall", "F1", "examples"];

function cellsOf({ precision, recall, f1, support }: z.infer<typeof Scores>): string[] {
  return [precision.toFixed(4), recall.toFixed(4), f1.toFixed(4), String(support)];
}

/** Rows, the names of the columns first, as Markdown. */
export function markdownTable([names, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(names), `|${"---|".repeat(names.length)}`, ...rows.map(line)].join("\n");
}
