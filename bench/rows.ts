import { cpus, loadavg } from "node:os";

/** One measured claim beside what it is compared with, measured in the same run. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** A peer, a limit of the machine or a budget. */
  readonly peer: string;
  readonly peerValue: number;
  /** The claim: value / peerValue is at least or at most this. */
  readonly wanted: { readonly ratio: "at least" | "at most"; readonly of: number };
}

/** The claim that a figure stays within a limit. */
export function budget(name: string, value: number, unit: string, limit: number): BenchRow {
  return { name, value, unit, peer: "budget", peerValue: limit, wanted: { ratio: "at most", of: 1 } };
}

export function ratioOf({ value, peerValue }: BenchRow): number {
  return value / peerValue;
}

export function isMet(row: BenchRow): boolean {
  return row.wanted.ratio === "at least" ? ratioOf(row) >= row.wanted.of : ratioOf(row) <= row.wanted.of;
}

/** The rows as a Markdown table. */
export function formatRows(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => {
    const { name, value, unit, peer, peerValue, wanted } = row;
    const ratio = formatRatio(ratioOf(row));
    const cells = [
      name,
      `${round(value)} ${unit}`,
      peer,
      `${round(peerValue)} ${unit}`,
      ratio,
      `${wanted.ratio} ${wanted.of}`,
    ];
    return `| ${cells.join(" | ")} | ${isMet(row) ? "yes" : "**no**"} |`;
  });
  return ["| claim | Cloze | beside | that | ratio | wanted | met |", "|---|---|---|---|---|---|---|", ...lines].join(
    "\n",
  );
}

export function describeMachine(): string {
  return `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** With two places; small ones with two digits. */
function formatRatio(ratio: number): string {
  return ratio < 0.01 ? String(Number(ratio.toPrecision(2))) : ratio.toFixed(2);
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
