import { describe, expect, test } from "vitest";
import {
  activation,
  attention,
  constant,
  gather,
  input,
  layerNorm,
  linear,
  parameter,
  positions,
  scatterAdd,
  segmentCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  squaredError,
  starts,
} from "../../graph/build.ts";
import { type Value, vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import type { ActivationKind, AnyTensor } from "../../graph/operations.ts";
import { Parameters } from "../../graph/parameters.ts";
import { referenceExecutor } from "./executor.ts";

// Other executors are held to this one (test/executor-contract.ts) and its gradients to its values
// (test/gradients.test.ts), so here the values are held to numbers worked out without it.

async function run(y: AnyTensor, inputs: Readonly<Record<string, Value>> = {}): Promise<Value> {
  const graph = makeGraph({ y });
  const executable = await referenceExecutor.load(graph, new Parameters(graph.parameters));
  const outputs = await executable.run(inputs);
  return outputs.y;
}

function rows(...values: readonly (readonly number[])[]): Value {
  return { data: Float64Array.from(values.flat()), shape: [values.length, values[0].length] };
}

function ints(...values: readonly number[]): Value {
  return vector(Int32Array.from(values));
}

function expectNumbers({ data }: Value, expected: readonly number[], digits = 14): void {
  expect(data).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(data[i]).toBeCloseTo(value, digits);
  });
}

const x = input("x", "float32", ["T", 2]);
const lengths = input("lengths", "int32", ["B"]);

describe("the reference executor", () => {
  test("positions and starts count within and across sequences, in integers", async () => {
    const given = { lengths: ints(2, 1, 3) };
    expect(await run(positions(lengths), given)).toEqual({ data: Int32Array.of(0, 1, 0, 0, 1, 2), shape: [6] });
    expect(await run(starts(lengths), given)).toEqual({ data: Int32Array.of(0, 2, 3), shape: [3] });
  });

  test("gather and scatterAdd move rows", async () => {
    const ids = input("ids", "int32", ["M"]);
    const given = { x: rows([1, 2], [3, 4], [5, 6]), ids: ints(2, 0, 2) };
    expectNumbers(await run(gather(x, ids), given), [5, 6, 1, 2, 5, 6]);
    const updates = input("updates", "float32", ["M", 2]);
    const sums = await run(scatterAdd(ids, updates, x), { ...given, updates: rows([1, 10], [2, 20], [4, 40]) });
    expectNumbers(sums, [2, 20, 0, 0, 5, 50]);
    expect(sums.shape).toEqual([3, 2]);
  });

  test("linear multiplies by the transposed weight", async () => {
    const y = linear(x, input("weight", "float32", [3, 2]), input("bias", "float32", [3]));
    const given = { x: rows([1, 2]), weight: rows([1, 0], [0, 1], [3, 4]), bias: vector(Float32Array.of(0.5, 0, -1)) };
    expectNumbers(await run(y, given), [1.5, 2, 10]);
  });

  // At 1.5 and -0.5, from mpmath; gelu_new is the tanh form.
  test.each<[ActivationKind, number, number]>([
    ["gelu", 1.399789198096713, -0.15426876936299344],
    ["gelu_new", 1.399571576980233, -0.15428599017485606],
    ["relu", 1.5, 0],
    ["silu", 1.2263617142904655, -0.1887703343990727],
    ["tanh", 0.9051482536448664, -0.4621171572600098],
  ])("%s", async (kind, above, below) => {
    expectNumbers(await run(activation(x, kind), { x: rows([1.5, -0.5]) }), [above, below]);
  });

  test("layerNorm makes rows of mean 0 and variance 1, then scales and shifts", async () => {
    const weight = input("weight", "float32", [2]);
    const bias = input("bias", "float32", [2]);
    const given = { weight: vector(Float32Array.of(2, 3)), bias: vector(Float32Array.of(0, 1)) };
    expectNumbers(await run(layerNorm(x, weight, bias, 0), { ...given, x: rows([5, 9], [1, -1]) }), [-2, 4, 2, -2]);
    // With ε = 5, the row (5, 9) of variance 4 is divided by 3.
    expectNumbers(await run(layerNorm(x, weight, bias, 5), { ...given, x: rows([5, 9]) }), [-4 / 3, 3]);
  });

  test("attention weighs values by the softmax of scaled products, sequence by sequence", async () => {
    const one = input("one", "float32", ["T", 1]);
    const y = attention({ query: one, key: one, value: one, lengths }, { heads: 1 });
    const [e1, e2, e4] = [1, 2, 4].map(Math.exp);
    expectNumbers(await run(y, { one: rows([1], [2], [7]), lengths: ints(2, 1) }), [
      (e1 * 1 + e2 * 2) / (e1 + e2),
      (e2 * 1 + e4 * 2) / (e2 + e4),
      7,
    ]);
  });

  test("attention divides by the root of the head size, and keeps heads apart", async () => {
    const wide = input("wide", "float32", ["T", 8]);
    const y = attention({ query: wide, key: wide, value: wide, lengths }, { heads: 2 });
    // The first head's products are 4 × 1 or 0, halved; the second head sees zeros and averages.
    const given = { wide: rows([1, 1, 1, 1, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 2]), lengths: ints(2) };
    const share = Math.exp(2) / (Math.exp(2) + 1);
    expectNumbers(await run(y, given), [
      ...[share, share, share, share, 0, 0, 0, 2],
      ...[0.5, 0.5, 0.5, 0.5, 0, 0, 0, 2],
    ]);
  });

  test("softmaxCrossEntropy sums weighted surprise, without overflow", async () => {
    const labels = input("labels", "int32", ["T"]);
    const loss = softmaxCrossEntropy(x, labels, input("weights", "float32", ["T"]));
    const given = { labels: ints(0, 1, 1), weights: vector(Float32Array.of(0.5, 2, 0)) };
    const logits = rows([Math.log(3), 0], [1000, 1000], [5, 6]);
    expectNumbers(await run(loss, { ...given, x: logits }), [0.5 * Math.log(4 / 3) + 2 * Math.log(2)]);
  });

  test("segmentCrossEntropy is the surprise of the right row among those of its group, column by column", async () => {
    const labels = input("labels", "int32", ["B", 2]);
    const loss = segmentCrossEntropy(x, lengths, labels, input("weights", "float32", ["B"]));
    const given = {
      x: rows([Math.log(3), 1000], [0, 1000], [7, -1000], [0, 0], [0, -1000], [0, Math.log(2)]),
      lengths: ints(2, 1, 3),
      labels: { data: Int32Array.of(0, 1, 0, 0, 1, 2), shape: [3, 2] },
      weights: vector(Float32Array.of(0.5, 9, 2)),
    };
    const [first, third] = [Math.log(4 / 3) + Math.log(2), Math.log(3) + Math.log(3 / 2)];
    expectNumbers(await run(loss, given), [0.5 * first + 2 * third]);
  });

  test("sigmoidCrossEntropy sums the weighted surprise of each yes and no, without overflow", async () => {
    const targets = input("targets", "float32", ["T", 2]);
    const loss = sigmoidCrossEntropy(x, targets, input("weights", "float32", ["T", 2]));
    const given = {
      x: rows([Math.log(3), Math.log(3)], [1000, -1000], [1000, -1000], [0, 5]),
      targets: rows([1, 0.25], [1, 0], [0, 1], [1, 0]),
      weights: rows([2, 3], [1, 1], [0.5, 0.25], [0, 0]),
    };
    const unsure = 0.25 * Math.log(4 / 3) + 0.75 * Math.log(4);
    expectNumbers(await run(loss, given), [2 * Math.log(4 / 3) + 3 * unsure + 0 + 0.5 * 1000 + 0.25 * 1000], 12);
  });

  test("squaredError sums weighted squares", async () => {
    const predictions = input("predictions", "float32", ["B", 1]);
    const loss = squaredError(predictions, input("targets", "float32", ["B"]), input("weights", "float32", ["B"]));
    const given = {
      predictions: rows([1], [-2], [5]),
      targets: vector(Float32Array.of(3, 1, 5)),
      weights: vector(Float32Array.of(0.5, 2, 7)),
    };
    expectNumbers(await run(loss, given), [0.5 * 4 + 2 * 9]);
  });

  test("computes in float64, and gives it", async () => {
    const third = await run(activation(x, "relu"), { x: rows([1 / 3, -1 / 3]) });
    expect(third.data).toEqual(Float64Array.of(1 / 3, 0));
    expect(await run(constant(0.1))).toEqual({ data: Float64Array.of(0.1), shape: [] });
  });

  test("reads parameters when it runs", async () => {
    const graph = makeGraph({ y: parameter("p", [2], "zeros") });
    const parameters = new Parameters(graph.parameters);
    const executable = await referenceExecutor.load(graph, parameters);
    parameters.get("p").data.set([3, 4]);
    expect((await executable.run({})).y.data).toEqual(Float64Array.of(3, 4));
  });
});
