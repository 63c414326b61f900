import { ClozeError } from "../base/errors.ts";
import type { AnyTensor } from "./operations.ts";
import { type AnyNode, type AttributesOf, isNode } from "./operations.ts";

export type InputSpec = AttributesOf<"input">;
export type ParameterSpec = AttributesOf<"parameter">;

/** What an executor runs: named outputs, and everything that they depend on, each node after the nodes it reads. */
export interface Graph {
  readonly nodes: readonly AnyNode[];
  readonly inputs: readonly InputSpec[];
  readonly parameters: readonly ParameterSpec[];
  readonly outputs: Readonly<Record<string, AnyTensor>>;
}

/** Collects the graph behind the outputs. Throws NAME_TAKEN where two inputs or parameters share a name. */
export function makeGraph(outputs: Readonly<Record<string, AnyTensor>>): Graph {
  const nodes = sortNodes(Object.values(outputs));
  const inputs = nodes.filter((node) => isNode(node, "input")).map((node) => node.attributes);
  const parameters = nodes.filter((node) => isNode(node, "parameter")).map((node) => node.attributes);
  const names = new Set<string>();
  for (const { name } of [...inputs, ...parameters]) {
    if (names.has(name))
      throw new ClozeError("NAME_TAKEN", { problem: `the graph has two inputs or parameters "${name}"` });
    names.add(name);
  }
  return { nodes, inputs, parameters, outputs };
}

/**
 * Every node behind the tensors, in the order in which they were made. It is that in which a reader of the model meets
 * them, and a thrifty one: the gradient of a layer's weights stands beside that of its input, not behind all layers.
 */
export function sortNodes(tensors: readonly AnyTensor[]): AnyNode[] {
  const found = new Set<AnyNode>();
  const open = tensors.map(({ node }) => node);
  while (open.length > 0) {
    const node = open.pop()!;
    if (found.has(node)) continue;
    found.add(node);
    for (const tensor of dependencies(node)) open.push(tensor.node);
  }
  return [...found].sort((a, b) => a.serial - b.serial);
}

/** A gradient node also waits for its forward node, whose kept values it may use. */
function dependencies(node: AnyNode): AnyTensor[] {
  const inputs: AnyTensor[] = Object.values(node.inputs);
  return "forward" in node.attributes ? [...node.attributes.forward.outputs, ...inputs] : inputs;
}
