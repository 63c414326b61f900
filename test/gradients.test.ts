import { describe, expect, test } from "vitest";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import type { Executable, Value } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { CASES_BY_OPERATION, OPERATION_CASES, type OperationCase } from "./operation-cases.ts";
import { backwardOf, forwardOf, operandsOf, type Runnable } from "./operation-graphs.ts";
import { relativeError } from "./relative-error.ts";

/** Inputs with their floats in float64, free to be changed. */
function widen(inputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const wide = Object.entries(inputs).map(([name, { data, shape }]) => {
    return [name, { shape, data: data instanceof Int32Array ? data : Float64Array.from(data) }];
  });
  return Object.fromEntries(wide);
}

/** Numbers of an input along which slopes are taken, two runs each: all up to 1,000, of more some at equal distances. */
function places(count: number): number[] {
  const stride = Math.ceil(count / 1000);
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);
}

/** The slope of the loss along numbers of an input, by central differences. */
async function finiteDifferences(
  executable: Executable,
  inputs: Readonly<Record<string, Value>>,
  name: string,
  seed: number | undefined,
): Promise<Float64Array> {
  const step = 1e-5;
  const { data } = inputs[name];
  const slopes: number[] = [];
  const lossAt = async (i: number, value: number) => {
    data[i] = value;
    const { loss } = await executable.run(inputs, { seed });
    return loss.data[0];
  };
  for (const i of places(data.length)) {
    const value = data[i];
    slopes.push(((await lossAt(i, value + step)) - (await lossAt(i, value - step))) / (2 * step));
    data[i] = value;
  }
  return Float64Array.from(slopes);
}

/** Operands are inputs here, not parameters, so that float64 can be perturbed. */
async function checkGradients(operation: OperationCase): Promise<void> {
  const names = operandsOf(operation);
  const { graph, parameters, inputs, seed } = backwardOf(operation, "inputs", names);
  const backward = await referenceExecutor.load(graph, parameters);
  const forward = await referenceExecutor.load(makeGraph({ loss: graph.outputs.loss }), parameters);
  const wide = widen(inputs);
  const gradients = await backward.run(wide, { seed });
  for (const name of names) {
    expect(gradients[name].shape).toEqual(inputs[name].shape);
    const slopes = await finiteDifferences(forward, wide, name, seed);
    const { data } = gradients[name];
    const gradient = Float64Array.from(places(data.length), (i) => data[i]);
    expect(relativeError(gradient, slopes), `gradient of ${name}`).toBeLessThan(1e-6);
  }
}

describe("the operation cases", () => {
  test("apply the operation that they are filed under", () => {
    for (const { op, cases } of CASES_BY_OPERATION) {
      for (const operation of cases) expect(opsOf(forwardOf(operation, "inputs"))).toContain(op);
    }
  });

  test("and their gradients together apply every operation", () => {
    const cases = CASES_BY_OPERATION.flatMap(({ cases }) => cases);
    const runnables = cases.flatMap((operation) => [
      forwardOf(operation, "parameters"),
      ...(operation.differentiable === false ? [] : [backwardOf(operation, "inputs", operandsOf(operation))]),
    ]);
    expect([...new Set(runnables.flatMap(opsOf))].sort()).toEqual(Object.keys(OPERATION_CASES).sort());
  });
});

function opsOf({ graph }: Runnable): string[] {
  return graph.nodes.map(({ op }) => op);
}

describe("the reference executor's gradients are slopes", () => {
  for (const { op, cases } of CASES_BY_OPERATION) {
    for (const operation of cases) {
      if (operation.differentiable === false) {
        test(`${op} is not differentiated: ${operation.title}`, () => {
          const differentiate = () => backwardOf(operation, "inputs", operandsOf(operation));
          expect(differentiate).toThrow(expect.objectContaining({ code: "NOT_DIFFERENTIABLE" }));
        });
      } else {
        test(`${op}: ${operation.title}`, () => checkGradients(operation));
      }
    }
  }
});
