/** Activations that are computed again in the backward pass: the same numbers in less memory. */
import { describe, expect, test } from "vitest";
import { compileNative } from "../src/executors/native/compile.ts";
import { layArena } from "../src/executors/native/memory.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import type { Executor } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import { presetConfig } from "../src/bert/config.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { describeNative, describeWays, differences } from "./native-kernels.ts";
import type { Values } from "./operation-graphs.ts";
import { loadGraph, makeSentences, pretrainingBatch, SMALL, trainingGraph } from "./pretraining-run.ts";

const BATCH = pretrainingBatch(SMALL, makeSentences(SMALL, [7, 1, 13]));

async function train(executor: Executor, recompute: boolean): Promise<Values> {
  const executable = await loadGraph(executor, trainingGraph(SMALL, { recompute }));
  const values = await executable.run(BATCH, { seed: 3 });
  await executable.dispose();
  return values;
}

async function expectSameBytes(executor: Executor): Promise<void> {
  const kept = await train(executor, false);
  expect(Object.keys(kept).length).toBeGreaterThan(80);
  expect(differences(await train(executor, true), kept)).toEqual([]);
}

describe("recomputed activations give the same loss and gradients, to the bit", () => {
  test("on the reference", () => expectSameBytes(referenceExecutor));
  test("on ONNX Runtime", () => expectSameBytes(onnxExecutor({ device: "cpu" })));
  describeNative("on native kernels", (addon) => {
    describeWays(addon, (open) => test("with dropout", () => expectSameBytes(open())));
  });
});

describe("the arena of a training step", () => {
  /** BERT-base but for its layers, sequences of 128 tokens. */
  const arenaBytes = (layers: number, options: { recompute?: boolean; batch?: number } = {}) => {
    const { recompute, batch = 16 } = options;
    const graph = trainingGraph({ ...presetConfig("base", 30522), layers }, { recompute });
    const sizes = { B: batch, S: 128, T: batch * 128, M: batch * 19 } as const;
    return arenaOf(graph, sizes);
  };
  /** Of one activation [T, D]: 768 numbers a token. */
  const activation = 2048 * 768 * 2;

  test("grows by what a layer's backward pass reads: x, query, key, value, context, two sums, h, and four times two", () => {
    const layer = (arenaBytes(24) - arenaBytes(12)) / 12 / activation;
    expect(layer).toBeGreaterThan(15);
    expect(layer).toBeLessThan(16.2); // and the normalisers of softmax
  });

  test("grows by two activations a layer where the others are recomputed", () => {
    const layer = (arenaBytes(24, { recompute: true }) - arenaBytes(12, { recompute: true })) / 12 / activation;
    expect(layer).toBeGreaterThan(1.9);
    expect(layer).toBeLessThan(2.1);
  });
});

function arenaOf(graph: Graph, sizes: Readonly<Record<"B" | "S" | "T" | "M", number>>): number {
  const { calls } = compileNative(graph, { activationType: "bfloat16", frozen: false });
  return layArena(calls, { bindings: new Map(Object.entries(sizes) as [keyof typeof sizes, number][]), seed: 0 }).bytes;
}

test("gradients of the upper layers alone recompute nothing below them", () => {
  const { loss } = pretraining(SMALL);
  const gradients = Object.entries(parameterGradients(loss, { recompute: true }));
  const upper = gradients.filter(([name]) => /layer\.[34]|cls/.test(name));
  const { nodes } = makeGraph({ loss, ...Object.fromEntries(upper) });
  const repeated = nodes.filter(({ repeats }) => repeats !== undefined);
  expect(repeated.filter(({ op }) => op === "attention")).toHaveLength(2);
});
