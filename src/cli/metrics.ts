import { z } from "zod";

const Report = z.object({
  examples: z.number(),
  loss: z.number(),
  accuracy: z.number(),
  macroF1: z.number(),
  mcc: z.number(),
  perLabel: z.array(z.object({ precision: z.number(), recall: z.number(), f1: z.number(), support: z.number() })),
  confusion: z.array(z.array(z.number())),
});

/** The figures of a classifier as a person reads them. */
export function formatMetrics(metrics: Readonly<Record<string, unknown>>, labels: readonly string[]): string {
  const report = Report.parse(metrics);
  const head = [
    ["examples", String(report.examples)],
    ["accuracy", report.accuracy.toFixed(4)],
    ["macro F1", report.macroF1.toFixed(4)],
    ["MCC", report.mcc.toFixed(4)],
    ["loss", report.loss.toFixed(4)],
  ];
  const perLabel = report.perLabel.map(({ precision, recall, f1, support }, i) => [
    labels[i],
    precision.toFixed(4),
    recall.toFixed(4),
    f1.toFixed(4),
    String(support),
  ]);
  const confusion = report.confusion.map((row, i) => [labels[i], ...row.map(String)]);
  return [
    formatTable(head),
    formatTable([["label", "precision", "recall", "F1", "examples"], ...perLabel]),
    formatTable([["true \\ predicted", ...labels], ...confusion]),
  ].join("\n\n");
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
