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

/** Every node behind the tensors, depth first, inputs before users, in a stable order. */
export function sortNodes(tensors: readonly AnyTensor[]): AnyNode[] {
  const sorted: AnyNode[] = [];
  const seen = new Set<AnyNode>();
  // An explicit stack: a deep encoder with its gradient would overflow the call stack.
  const stack: { node: AnyNode; ready: boolean }[] = tensors.map(({ node }) => ({ node, ready: false })).reverse();
  while (stack.length > 0) {
    const { node, ready } = stack.pop()!;
    if (ready) {
      sorted.push(node);
    } else if (!seen.has(node)) {
      seen.add(node);
      stack.push({ node, ready: true });
      for (const tensor of dependencies(node).reverse()) stack.push({ node: tensor.node, ready: false });
    }
  }
  return sorted;
}

/** A gradient node also waits for its forward node, whose kept values it may use. */
function dependencies(node: AnyNode): AnyTensor[] {
  const inputs: AnyTensor[] = Object.values(node.inputs);
  return "forward" in node.attributes ? [...node.attributes.forward.outputs, ...inputs] : inputs;
}
