/** The numbers among some metrics, those of groups too, as a Markdown table, to four digits. */
export function figureTable(metrics: Readonly<Record<string, unknown>>): string {
  return `| figure | value |\n|---|---|\n${rowsOf(metrics).join("\n")}`;
}

function rowsOf(metrics: object, group = ""): string[] {
  return Object.entries(metrics).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "number") return [`| ${group}${name} | ${round(value)} |`];
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? rowsOf(value, `${group}${name}.`)
      : [];
  });
}

function round(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
