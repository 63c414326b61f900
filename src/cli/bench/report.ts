import { formatTable } from "../metrics.ts";

/** A part of a run: a call of a kernel, or what else is timed by itself. */
export interface Part {
  readonly family: string;
  readonly seconds: number;
  /** Floating-point operations, 0 for parts that are judged by what they read and write. */
  readonly flop: number;
  /** Bytes read and written. */
  readonly bytes: number;
}

export interface TimedRun {
  readonly seconds: number;
  readonly parts: readonly Part[];
}

/** What the machine can do at best. */
export interface Limits {
  readonly flopPerSecond: number;
  /** Unknown where no parts are timed. */
  readonly bytesPerSecond?: number;
}

/** What the parts of a family took together. */
export interface FamilyFigures {
  readonly family: string;
  readonly calls: number;
  readonly seconds: number;
  /** Of the whole run. */
  readonly share: number;
  /** Where the family has operations. */
  readonly flopPerSecond?: number;
  /** Where it has none. */
  readonly bytesPerSecond?: number;
  /** Its speed as a share of the limit: above 1 where what it reads is still in a cache. */
  readonly limitShare?: number;
}

export interface RunFigures {
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly flopPerSecond: number;
  readonly limitShare: number;
  /** The longest first, at last what no part accounts for; empty where no parts were timed. */
  readonly families: readonly FamilyFigures[];
}

/** What was run. */
export interface BenchSubject {
  readonly workload: string;
  readonly model: string;
  readonly batch: number;
  readonly length: number;
  /** Rate of dropout. */
  readonly dropout: number;
  /** Name of the executor. */
  readonly executor: string;
  readonly threads: number;
  /** Tokens of a run. */
  readonly tokens: number;
  /** Operations of a run's products. */
  readonly flop: number;
}

export interface BenchReport extends BenchSubject, RunFigures {
  readonly limits: Limits;
  /** Seconds of each run, of which the median is told. */
  readonly runs: readonly number[];
  /** Why there are no families. */
  readonly missing?: string;
}

/** The run with the median time: a run as a whole, so that its parts add up. */
export function medianRun(runs: readonly TimedRun[]): TimedRun {
  return runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
}

/** The figures of one run beside what the machine can do. */
export function runFigures(
  run: TimedRun,
  { tokens, flop }: { tokens: number; flop: number },
  limits: Limits,
): RunFigures {
  const { seconds, parts } = run;
  const flopPerSecond = flop / seconds;
  return {
    seconds,
    tokensPerSecond: tokens / seconds,
    flopPerSecond,
    limitShare: flopPerSecond / limits.flopPerSecond,
    families: parts.length === 0 ? [] : [...familyFigures(run, limits), remainder(run)],
  };
}

function familyFigures({ seconds: whole, parts }: TimedRun, limits: Limits): FamilyFigures[] {
  return [...new Set(parts.map(({ family }) => family))]
    .map((family): FamilyFigures => {
      const members = parts.filter((part) => part.family === family);
      const seconds = total(members, "seconds");
      const flop = total(members, "flop");
      const common = { family, calls: members.length, seconds, share: seconds / whole };
      if (flop > 0) {
        const flopPerSecond = flop / seconds;
        return { ...common, flopPerSecond, limitShare: flopPerSecond / limits.flopPerSecond };
      }
      const bytesPerSecond = total(members, "bytes") / seconds;
      const { bytesPerSecond: limit } = limits;
      return { ...common, bytesPerSecond, limitShare: limit && bytesPerSecond / limit };
    })
    .toSorted((a, b) => b.seconds - a.seconds);
}

/** What is between the parts: laying out memory, writing the program, waiting for the pool. */
function remainder({ seconds: whole, parts }: TimedRun): FamilyFigures {
  const seconds = whole - total(parts, "seconds");
  return { family: "between them", calls: 0, seconds, share: seconds / whole };
}

function total(parts: readonly Part[], figure: "seconds" | "flop" | "bytes"): number {
  return parts.reduce((sum, part) => sum + part[figure], 0);
}

/** The report for people. */
export function formatReport(report: BenchReport): string {
  const { workload, model, batch, length, dropout, executor, threads, tokens, runs, limits, missing } = report;
  const rows = [...report.families.map(familyCells), runCells(report)];
  const dropped = dropout > 0 ? `, dropout ${dropout}` : "";
  const limitTexts = [`the encoder's fastest product ${giga(limits.flopPerSecond, "FLOP/s")}`];
  if (limits.bytesPerSecond !== undefined) limitTexts.push(`the memory ${giga(limits.bytesPerSecond, "B/s")}`);
  return [
    `${workload} of ${model}, ${batch} x ${length} tokens${dropped}; ${executor}, threads: ${threads}`,
    formatTable([["", "calls", "ms", "share", "speed", "of its limit"], ...rows]),
    `${count(tokens)} tokens a run, ${count(Math.round(report.tokensPerSecond))} a second; runs: ${runs.length}, the median is told.\n` +
      `Limits: ${limitTexts.join("; ")}.`,
    ...(missing === undefined ? [] : [`ONNX Runtime computed, which tells nothing of its parts: ${missing}`]),
  ].join("\n\n");
}

function familyCells({ family, calls, seconds, share, ...speeds }: FamilyFigures): string[] {
  return [family, calls === 0 ? "" : String(calls), milliseconds(seconds), percent(share), ...speedCells(speeds)];
}

function runCells({ seconds, ...speeds }: RunFigures): string[] {
  return ["the whole run", "", milliseconds(seconds), percent(1), ...speedCells(speeds)];
}

function speedCells(speeds: Pick<FamilyFigures, "flopPerSecond" | "bytesPerSecond" | "limitShare">): string[] {
  const { flopPerSecond, bytesPerSecond, limitShare } = speeds;
  const flop = flopPerSecond === undefined ? "" : giga(flopPerSecond, "FLOP/s");
  const speed = bytesPerSecond === undefined ? flop : giga(bytesPerSecond, "B/s");
  return [speed, limitShare === undefined ? "" : percent(limitShare)];
}

function giga(value: number, unit: string): string {
  return `${(value / 1e9).toFixed(1)} G${unit}`;
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toFixed(2);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
