import { describe, expect, test } from "vitest";
import {
  activation,
  add,
  attention,
  constant,
  dropout,
  gather,
  input,
  layerNorm,
  linear,
  matmul,
  parameter,
  softmaxCrossEntropy,
} from "./build.ts";
import { differentiate } from "./differentiate.ts";
import { makeGraph } from "./graph.ts";
import type { AnyNode, Tensor } from "./operations.ts";
import { printGraph } from "./print.ts";

// That the gradients are slopes is shown in test/gradients.test.ts; here, which graph is made of them.

const x = input("x", "float32", ["T", 4]);
const labels = input("labels", "int32", ["T"]);
const rowWeights = input("rowWeights", "float32", ["T"]);

function layer(of: Tensor, name: string): Tensor {
  return linear(of, parameter(`${name}.weight`, [4, 4], "normal"), parameter(`${name}.bias`, [4], "zeros"));
}

function lossOf(logits: Tensor): Tensor {
  return softmaxCrossEntropy(logits, labels, rowWeights);
}

function weightOf({ node }: Tensor): Tensor {
  if (!("weight" in node.inputs)) throw new Error(`${node.op} has no weight`);
  return node.inputs.weight;
}

/** Operations of the nodes that the gradients add to the loss. */
function addedOperations(loss: Tensor, gradients: readonly Tensor[]): string[] {
  const before = new Set<AnyNode>(makeGraph({ loss }).nodes);
  const { nodes } = makeGraph({ loss, ...Object.fromEntries(gradients.entries()) });
  return nodes.filter((node) => !before.has(node)).map(({ op }) => op);
}

describe("differentiate", () => {
  test("gives each tensor a gradient of its own shape, in order", () => {
    const table = parameter("table", [11, 4], "normal");
    const y = layer(gather(table, labels), "a");
    const gradients = differentiate(lossOf(y), [weightOf(y), table, y]);
    expect(gradients.map(({ shape }) => shape)).toEqual([
      [4, 4],
      [11, 4],
      ["T", 4],
    ]);
  });

  test("of the loss itself is one", () => {
    const loss = lossOf(x);
    const [gradient] = differentiate(loss, [loss]);
    expect(printGraph(makeGraph({ gradient }))).toBe("%0 = constant(value: 1)  // []\nreturn gradient = %0\n");
  });

  test("goes no further down than the tensors that are asked for", () => {
    const first = layer(x, "first");
    const second = layer(activation(first, "gelu"), "second");
    const loss = lossOf(second);
    expect(addedOperations(loss, differentiate(loss, [weightOf(second)]))).toEqual([
      "constant",
      "softmaxCrossEntropyGradient",
      "matmul",
    ]);
  });

  test("makes the gradients of one node once for all tensors", () => {
    const weight = parameter("weight", [4], "ones");
    const bias = parameter("bias", [4], "zeros");
    const loss = lossOf(layerNorm(x, weight, bias, 1e-12));
    const added = addedOperations(loss, differentiate(loss, [x, weight, bias]));
    expect(added.filter((op) => op === "layerNormGradient")).toHaveLength(1);
  });

  test("adds up what reaches a tensor on several ways", () => {
    const hidden = activation(x, "tanh");
    const loss = lossOf(add(layer(hidden, "a"), hidden));
    const added = addedOperations(loss, differentiate(loss, [x]));
    expect(added.sort()).toEqual(["activationGradient", "add", "constant", "matmul", "softmaxCrossEntropyGradient"]);
  });

  test("ties a gradient to its forward node", () => {
    const dropped = dropout(x, 0.1);
    const [gradient] = differentiate(lossOf(dropped), [x]);
    expect(gradient.node).toMatchObject({ op: "dropoutGradient", attributes: { forward: dropped.node } });
  });

  test("copes with a graph deeper than the call stack", () => {
    let hidden = x;
    for (let depth = 0; depth < 20_000; depth++) hidden = activation(hidden, "tanh");
    const [gradient] = differentiate(lossOf(hidden), [x]);
    expect(makeGraph({ gradient }).nodes.length).toBeGreaterThan(40_000);
  });
});

describe("what has no gradient is refused", () => {
  const refusals: readonly (readonly [string, () => unknown, string])[] = [
    ["a loss that is no scalar", () => differentiate(x, [x]), "expected a loss of shape []; got shape [T, 4]"],
    [
      "an input that the loss does not depend on",
      () => differentiate(lossOf(x), [input("y", "float32", [])]),
      "the loss does not depend on y",
    ],
    ["the weights of rows in a loss", () => differentiate(lossOf(x), [rowWeights]), "rowWeights"],
    ["a loss of constants", () => differentiate(add(constant(1), constant(2)), [x]), "the loss does not depend on x"],
    [
      "an operation of gradients",
      () => differentiate(lossOf(matmul(x, parameter("square", [4, 4], "normal"))), [x]),
      "matmul has no gradient of its own",
    ],
    [
      "a gradient",
      () => {
        const lengths = input("lengths", "int32", ["B"]);
        const [gradient] = differentiate(lossOf(attention({ query: x, key: x, value: x, lengths }, { heads: 2 })), [x]);
        differentiate(lossOf(gradient), [x]);
      },
      "attentionGradient has no gradient of its own",
    ],
  ];

  test.each(refusals)("%s", (_, build, message) => {
    expect(build).toThrow(expect.objectContaining({ code: "NOT_DIFFERENTIABLE" }));
    expect(build).toThrow(message);
  });
});
