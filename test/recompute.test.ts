/** Activations that are computed again in the backward pass: the same numbers in less memory. */
import { describe, expect, test } from "vitest";
import { presetConfig } from "../src/bert/config.ts";
import { compileNative } from "../src/executors/native/compile.ts";
import { layArena, lifetimesOf } from "../src/executors/native/memory.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import type { Executor } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { describeNative, describeWays, differences } from "./native-kernels.ts";
import type { Values } from "./operation-graphs.ts";
import { loadGraph, makeSentences, pretrainingBatch, SMALL, trainingGraph, WIDE } from "./pretraining-run.ts";

const BATCH = pretrainingBatch(WIDE, makeSentences(WIDE, [7, 1, 13]));

async function train(executor: Executor, recompute: boolean): Promise<Values> {
  const executable = await loadGraph(executor, trainingGraph(WIDE, { recompute }));
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
  const BATCH_SIZE = 16;
  const LENGTH = 128;
  const TOKENS = BATCH_SIZE * LENGTH;

  /** Of BERT-base but for its layers and vocabulary, in activations [T, D] of bfloat16. */
  const arena = ({ layers = 12, vocabSize = 30522, recompute = false }) => {
    const config = { ...presetConfig("base", vocabSize), layers };
    const sizes = { B: BATCH_SIZE, S: LENGTH, T: TOKENS, M: 307 } as const;
    return arenaOf(trainingGraph(config, { recompute }), sizes) / (TOKENS * config.hiddenSize * 2);
  };
  const perLayer = (recompute: boolean) => (arena({ layers: 24, recompute }) - arena({ recompute })) / 12;

  test("grows by what a layer's gradient reads: x, query, key, value, context, two sums, h, and two of four times the width", () => {
    expect(perLayer(false)).toBeGreaterThan(15);
    expect(perLayer(false)).toBeLessThan(17);
  });

  test("grows by the two sums of a layer where all else is recomputed", () => {
    expect(perLayer(true)).toBeGreaterThan(1.9);
    expect(perLayer(true)).toBeLessThan(2.5);
  });

  test("does not grow with the vocabulary: logits are never whole", () => {
    expect(arena({ vocabSize: 300_000 })).toBe(arena({ vocabSize: 30_000 }));
    const logits = (307 * 30522 * 4) / (TOKENS * 768 * 2); // 12 activations
    expect(arena({ recompute: true, layers: 1 })).toBeLessThan(2 * logits);
  });
});

function arenaOf(graph: Graph, sizes: Readonly<Record<"B" | "S" | "T" | "M", number>>): number {
  const { calls } = compileNative(graph, { activationType: "bfloat16", frozen: false, panelColumns: 32 });
  return layArena(lifetimesOf(calls), {
    bindings: new Map(Object.entries(sizes) as [keyof typeof sizes, number][]),
    seed: 0,
  }).bytes;
}

test("gradients of the upper layers alone recompute nothing below them", () => {
  const { loss } = pretraining(SMALL);
  const gradients = Object.entries(parameterGradients(loss, { recompute: true }));
  const upper = gradients.filter(([name]) => /layer\.[34]|cls/.test(name));
  const { nodes } = makeGraph({ loss, ...Object.fromEntries(upper) });
  const repeated = nodes.filter(({ repeats }) => repeats !== undefined);
  expect(repeated.filter(({ op }) => op === "attention")).toHaveLength(2);
});
