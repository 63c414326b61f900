import { expect, test } from "vitest";
import { formatMetrics } from "./metrics.ts";

test("shares have four digits, be they whole numbers too, and counts none", () => {
  const metrics = { examples: 10, accuracy: 0.70974, mcc: 0, noAnswer: { total: 3, f1: 1 } };
  const rows = formatMetrics(metrics, [])
    .split("\n")
    .map((row) => row.split(/ {2,}/));
  expect(rows).toEqual([
    ["examples", "10"],
    ["accuracy", "0.7097"],
    ["MCC", "0.0000"],
    ["no answer total", "3"],
    ["no answer F1", "1.0000"],
  ]);
});
