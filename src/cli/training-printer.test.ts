import { expect, test, vi } from "vitest";
import { TrainingPrinter } from "./training-printer.ts";

test("an epoch that ends before any step, as after a resume, is told", () => {
  const error = vi.spyOn(console, "error").mockReturnValue();
  const evaluation = { score: 0.5, metrics: {} };
  new TrainingPrinter().print({ kind: "epoch", epoch: 1, step: 8, loss: 0.25, evaluation });
  expect(error.mock.calls).toEqual([["epoch 2: loss 0.2500, dev score 0.5000"]]);
  error.mockRestore();
});
