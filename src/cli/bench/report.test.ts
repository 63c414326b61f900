import { expect, test } from "vitest";
import { type BenchReport, formatReport, medianRun, type Part, runFigures, type TimedRun } from "./report.ts";

const part = (family: string, seconds: number, figures: Partial<Part> = {}): Part => ({
  family,
  seconds,
  flop: 0,
  bytes: 0,
  ...figures,
});

const run: TimedRun = {
  seconds: 2,
  parts: [
    part("rows", 0.25, { bytes: 1e9 }),
    part("products", 0.5, { flop: 100e9, bytes: 7 }),
    part("products", 0.75, { flop: 150e9 }),
    part("optimizer", 0.4, { bytes: 4e9 }),
  ],
};
const size = { tokens: 2048, flop: 300e9 };
const limits = { flopPerSecond: 400e9, bytesPerSecond: 20e9 };

test("parts add up by family, the longest first, each beside its own limit, and leave a remainder", () => {
  const { families, ...whole } = runFigures(run, size, limits);
  expect(whole).toEqual({ seconds: 2, tokensPerSecond: 1024, flopPerSecond: 150e9, limitShare: 0.375 });
  expect(families).toEqual([
    { family: "products", calls: 2, seconds: 1.25, share: 0.625, flopPerSecond: 200e9, limitShare: 0.5 },
    { family: "optimizer", calls: 1, seconds: 0.4, share: 0.2, bytesPerSecond: 10e9, limitShare: 0.5 },
    { family: "rows", calls: 1, seconds: 0.25, share: 0.125, bytesPerSecond: 4e9, limitShare: 0.2 },
    { family: "between them", calls: 0, seconds: expect.closeTo(0.1), share: expect.closeTo(0.05) },
  ]);
});

test("a run whose parts nobody timed has none", () => {
  expect(runFigures({ seconds: 2, parts: [] }, size, { flopPerSecond: 400e9 }).families).toEqual([]);
});

test("the median run is one of the runs", () => {
  const runs = [5, 1, 9, 3].map((seconds) => ({ seconds, parts: [] }));
  expect(medianRun(runs)).toBe(runs[0]);
  expect(medianRun(runs.slice(0, 3))).toBe(runs[0]);
});

const report: BenchReport = {
  ...{ workload: "step", model: "base", batch: 16, length: 128, dropout: 0.1, executor: "native bfloat16", threads: 2 },
  ...size,
  ...runFigures(run, size, limits),
  limits,
  runs: [2, 1.9, 2.1],
};

test("the report for people", () => {
  expect(`\n${formatReport(report)}\n`).toBe(`
step of base, 16 x 128 tokens, dropout 0.1; native bfloat16, threads: 2

               calls       ms   share          speed  of its limit
products           2  1250.00   62.5%  200.0 GFLOP/s         50.0%
optimizer          1   400.00   20.0%      10.0 GB/s         50.0%
rows               1   250.00   12.5%       4.0 GB/s         20.0%
between them           100.00    5.0%
the whole run         2000.00  100.0%  150.0 GFLOP/s         37.5%

2,048 tokens a run, 1,024 a second; runs: 3, the median is told.
Limits: the encoder's fastest product 400.0 GFLOP/s; the memory 20.0 GB/s.
`);
});

test("the report of a run without parts says why", () => {
  const { bytesPerSecond: _, ...known } = limits;
  const bare = { ...report, ...runFigures({ seconds: 2, parts: [] }, size, known), dropout: 0, limits: known };
  expect(`\n${formatReport({ ...bare, executor: "onnx", missing: "there are no native kernels" })}\n`).toBe(`
step of base, 16 x 128 tokens; onnx, threads: 2

               calls       ms   share          speed  of its limit
the whole run         2000.00  100.0%  150.0 GFLOP/s         37.5%

2,048 tokens a run, 1,024 a second; runs: 3, the median is told.
Limits: the encoder's fastest product 400.0 GFLOP/s.

ONNX Runtime computed, which tells nothing of its parts: there are no native kernels
`);
});
