/** The numbers among some metrics as a Markdown table, to four digits. */
export function figureTable(metrics: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(metrics).flatMap(([name, value]) =>
    typeof value === "number" ? [`| ${name} | ${round(value)} |`] : [],
  );
  return `| figure | value |\n|---|---|\n${rows.join("\n")}`;
}

function round(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
