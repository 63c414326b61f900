import { expect, test } from "vitest";
import { activation, add, dropout, input, linear, parameter, softmaxCrossEntropy } from "./build.ts";
import { differentiate } from "./differentiate.ts";
import { makeGraph } from "./graph.ts";
import type { AnyTensor } from "./operations.ts";

const x = input("x", "float32", ["T", 4]);
const y = linear(x, parameter("weight", [4, 4], "normal"), parameter("bias", [4], "zeros"));

test("a graph holds what its outputs depend on, once, and nothing else", () => {
  const shared = activation(y, "tanh");
  input("unread", "float32", []);
  const graph = makeGraph({ a: add(shared, x), b: shared });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["input", "parameter", "parameter", "linear", "activation", "add"]);
  expect(graph.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["T", 4] }]);
  expect(graph.parameters.map(({ name }) => name)).toEqual(["weight", "bias"]);
});

test("every node stands after those that it reads, and a gradient after its forward node", () => {
  const loss = softmaxCrossEntropy(
    dropout(activation(y, "gelu"), 0.1),
    input("labels", "int32", ["T"]),
    input("rowWeights", "float32", ["T"]),
  );
  const [dx] = differentiate(loss, [x]);
  const { nodes } = makeGraph({ dx });
  for (const [place, node] of nodes.entries()) {
    const inputs: AnyTensor[] = Object.values(node.inputs);
    for (const tensor of inputs) expect(nodes.indexOf(tensor.node)).toBeLessThan(place);
    if (!("forward" in node.attributes)) continue;
    const forward = nodes.indexOf(node.attributes.forward);
    expect(forward).toBeGreaterThanOrEqual(0);
    expect(forward).toBeLessThan(place);
  }
});

test("a name stands for one input or parameter", () => {
  const others = [input("x", "float32", ["T", 4]), parameter("x", [4, 4], "zeros")];
  for (const other of others) {
    expect(() => makeGraph({ x, other })).toThrow(expect.objectContaining({ code: "NAME_TAKEN" }));
  }
});
