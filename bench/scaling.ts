/**
 * How the cost of a training step of mini grows: with its tokens, 64 to 16,384 in sequences of 64, and with its layers, 1
 * to 12. Prints both curves, draws them into this folder, and holds them to straight lines.
 *
 *     npx tsx bench/scaling.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { curvesSvg, type Point } from "../src/formats/curves-svg.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";

const ROUNDS = 5;
const LENGTH = 64;
const TOKENS = Array.from({ length: 9 }, (_, i) => LENGTH * 2 ** i); // 64 to 16,384
const LAYERS = Array.from({ length: 12 }, (_, i) => i + 1);
/** Tokens of the steps whose layers grow. */
const FIXED_TOKENS = 4096;

const Step = z.object({ seconds: z.number() });

/** Medians of five interleaved rounds. Takes some ten minutes. */
export function benchScaling(): BenchRow[] {
  const rounds = Array.from({ length: ROUNDS }, () => ({
    tokens: TOKENS.map((tokens) => runStep(tokens)),
    layers: LAYERS.map((layers) => runStep(FIXED_TOKENS, "--layers", String(layers))),
  }));
  const curve = (name: "tokens" | "layers", xs: readonly number[]): Point[] =>
    xs.map((x, i) => [x, 1000 * median(rounds.map((round) => round[name][i]))]);
  const byTokens = curve("tokens", TOKENS);
  return [
    draw("tokens", byTokens, `mini, sequences of ${LENGTH} tokens`),
    compareTokens(byTokens),
    draw("layers", curve("layers", LAYERS), `mini, ${FIXED_TOKENS} tokens`),
  ];
}

/** A power of the tokens may pass for a line; then a token of the longest step costs more than one of a middling step. */
function compareTokens(measured: readonly Point[]): BenchRow {
  const [[fewer, before], [more, after]] = [measured[measured.length - 4], measured[measured.length - 1]];
  return {
    name: `a token of a step with ${more} (mini, sequences of ${LENGTH} tokens)`,
    value: (1000 * after) / more,
    unit: "µs",
    peer: `of one with ${fewer}`,
    peerValue: (1000 * before) / fewer,
    wanted: { ratio: "at most", of: 1.1 },
  };
}

function runStep(tokens: number, ...options: readonly string[]): number {
  const sizes = ["--model", "mini", "--batch", String(tokens / LENGTH), "--length", String(LENGTH), "--steps", "5"];
  return Step.parse(runScript("step.ts", ...sizes, ...options)).seconds;
}

function draw(name: string, measured: readonly Point[], what: string): BenchRow {
  const line = fitLine(measured);
  const fitted = measured.map(([x]): Point => [x, line.from + line.slope * x]);
  const title = `Milliseconds of a training step, ${what}`;
  const series = [
    { name: "measured", points: measured },
    { name: `${line.from.toFixed(1)} + ${line.slope.toPrecision(3)} a ${name.slice(0, -1)}`, points: fitted },
  ];
  const file = fileURLToPath(new URL(`step-by-${name}.svg`, import.meta.url));
  writeFileSync(file, curvesSvg({ title, xLabel: name, series }));
  console.log(
    `${title}, by ${name}: ${measured.map(([x, y]) => `${x}: ${y.toFixed(1)}`).join(", ")}; drawn in ${file}`,
  );
  return {
    name: `cost of a step grows in a line with its ${name} (${what}), R²`,
    value: line.rSquared,
    unit: "",
    peer: "a line",
    peerValue: 1,
    wanted: { ratio: "at least", of: 0.99 },
  };
}

/** The line of least squares, and the share of the variance that it explains. */
function fitLine(points: readonly Point[]): { from: number; slope: number; rSquared: number } {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = mean(points.map(([x, y]) => (x - meanX) * (y - meanY)));
  const slope = covariance / mean(points.map(([x]) => (x - meanX) ** 2));
  const from = meanY - slope * meanX;
  const residual = mean(points.map(([x, y]) => (y - from - slope * x) ** 2));
  return { from, slope, rSquared: 1 - residual / mean(points.map(([, y]) => (y - meanY) ** 2)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(benchScaling())}`);
}
