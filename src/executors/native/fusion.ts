import type { Graph } from "../../graph/graph.ts";
import { type AnyNode, type AnyTensor, isNode, type NodeOf, type Tensor } from "../../graph/operations.ts";

/** A product that is computed where its result is used, which is finished before it leaves the cache. */
export type ProductNode = NodeOf<"linear"> | NodeOf<"matmul">;

/**
 * The products that another node takes over, each with that node: an activation of it, the gradient of one, or a sum, also
 * of what a dropout leaves of it. Nobody else may read them, but for the gradient of the activation, which reads what the
 * product was before.
 */
export function findFusions(graph: Graph): ReadonlyMap<AnyNode, AnyNode> {
  const readers = new Map<AnyTensor, AnyNode[]>();
  for (const node of graph.nodes) {
    const inputs: AnyTensor[] = Object.values(node.inputs);
    for (const tensor of inputs) readers.set(tensor, [...(readers.get(tensor) ?? []), node]);
  }
  const outputs = new Set(Object.values(graph.outputs));
  const isOnlyFor = (tensor: Tensor, node: AnyNode) =>
    !outputs.has(tensor) && readers.get(tensor)!.every((reader) => reader === node || isGradientOf(reader, node));

  const fusions = new Map<AnyNode, AnyNode>();
  const take = (tensor: Tensor, user: AnyNode): boolean => {
    const { node } = tensor;
    if (!isProduct(node) || fusions.has(node) || !isOnlyFor(tensor, user)) return false;
    fusions.set(node, user);
    return true;
  };
  for (const node of graph.nodes) {
    if (isNode(node, "activation")) take(node.inputs.x, node);
    if (isNode(node, "activationGradient")) take(node.inputs.dy, node);
    if (isNode(node, "add")) {
      const { a, b } = node.inputs;
      if (a === b) continue;
      if (takeDropped(b, node) || takeDropped(a, node)) continue;
      if (!take(b, node)) take(a, node);
    }
  }
  return fusions;

  function takeDropped({ node }: Tensor, user: AnyNode): boolean {
    if (!isNode(node, "dropout") || !isOnlyFor(node.outputs[0] as Tensor, user)) return false;
    if (!take(node.inputs.x, node)) return false;
    fusions.set(node.inputs.x.node, user);
    fusions.set(node, user);
    return true;
  }
}

export function isProduct(node: AnyNode): node is ProductNode {
  return isNode(node, "linear") || isNode(node, "matmul");
}

function isGradientOf(reader: AnyNode, node: AnyNode): boolean {
  return isNode(reader, "activationGradient") && reader.attributes.forward === node;
}
