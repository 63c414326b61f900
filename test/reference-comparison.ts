/** What the native executor gives beside what the reference does. */
import { expect } from "vitest";
import { Random } from "../src/base/random.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import type { Executor, Value } from "../src/graph/executor.ts";
import type { Tensor } from "../src/graph/operations.ts";
import { sizeOf } from "../src/graph/parameters.ts";
import type { OperationCase } from "./operation-cases.ts";
import { backwardOf, forwardOf, operandsOf, type Runnable, type Values } from "./operation-graphs.ts";
import { relativeError } from "./relative-error.ts";

/**
 * As for the contract (executors.test.ts). The deepest pattern rounds a dozen times to 8 bits: measured at up to 0.034 of
 * an output's largest number. What a wrong fusion gives is off by as much as it is large.
 */
export const TOLERANCES = { float32: 1e-5, bfloat16: 0.06 };

export async function runOnce(executor: Executor, { graph, parameters, inputs, seed }: Runnable): Promise<Values> {
  const executable = await executor.load(graph, parameters);
  const values = await executable.run(inputs, { seed });
  await executable.dispose();
  return values;
}

/**
 * Every output, but for those left out, is the reference's up to the tolerance: of its largest number, or of `smallest`
 * where that is larger, as where an activation is flat its slope is all rounding error. Returns the largest error.
 */
export async function expectReference(
  executor: Executor,
  runnable: Runnable,
  tolerance: number,
  leaveOut: readonly string[] = [],
  smallest = 0,
): Promise<number> {
  const expected = await runOnce(referenceExecutor, runnable);
  const actual = await runOnce(executor, runnable);
  const names = Object.keys(expected).filter((name) => !leaveOut.includes(name));
  const errors = names.map((name) => ({
    name,
    error: relativeError([...actual[name].data, smallest], [...expected[name].data, smallest]),
  }));
  expect(errors.filter(({ error }) => !(error <= tolerance))).toEqual([]);
  return Math.max(0, ...errors.map(({ error }) => error));
}

/** Value and gradients of a case are the reference's. Returns the largest error. */
export async function expectCase(executor: Executor, operation: OperationCase, smallest = 0): Promise<number> {
  const type = typeOf(executor);
  const tolerance = TOLERANCES[type];
  // Weighted with both signs, a loss is far smaller than its terms, and than their rounding errors.
  const leaveOut = type === "bfloat16" ? ["loss"] : [];
  const forward = await expectReference(executor, forwardOf(operation, "parameters"), tolerance, [], smallest);
  if (operation.differentiable === false) return forward;
  const backward = backwardOf(operation, "parameters", operandsOf(operation));
  return Math.max(forward, await expectReference(executor, backward, tolerance, leaveOut, smallest));
}

export function typeOf({ name }: Executor): keyof typeof TOLERANCES {
  return name.includes("bfloat16") ? "bfloat16" : "float32";
}

export function randomValue(shape: readonly number[], ...keys: readonly (number | string)[]): Value {
  const random = Random.of(...keys);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) };
}

export function sizeOfLast({ shape }: Tensor): number {
  const last = shape.at(-1);
  if (typeof last !== "number") throw new Error("the last dimension is a letter");
  return last;
}
