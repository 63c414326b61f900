import { expect, test } from "vitest";
import { type SweepRun, sweepCells } from "./sweep-report.ts";

const recipe = { learningRate: 1e-3, batchSize: 16, epochs: 3, best: "best" };
const ended: SweepRun = { name: "a", seed: 1, fold: undefined, score: 0.5 };
const broken: SweepRun = { name: "b", seed: 2, fold: undefined, score: Number.NaN, brokenDown: "LOSS_NOT_FINITE" };

test.each([
  ["all ended", [ended, ended], 0.5, ["0.5000", "0.0000", "2"]],
  ["one broke down", [ended, broken], Number.NaN, ["1 of 2 broke down", "-", "2"]],
  ["all broke down", [broken, broken], Number.NaN, ["broke down", "-", "2"]],
])("a recipe of which %s is shown so", (_, runs, mean, cells) => {
  const deviation = Number.isNaN(mean) ? Number.NaN : 0;
  expect(sweepCells([{ ...recipe, runs, mean, deviation }])[1]).toEqual(["0.001", "16", "3", ...cells]);
});
