import type { Graph } from "../../graph/graph.ts";
import { type AnyNode, type AnyTensor, isNode, type NodeOf, type Tensor } from "../../graph/operations.ts";
import type { Shape } from "../../graph/shape.ts";

/** A product that is computed where its result is used, which is finished before it leaves the cache. */
export type ProductNode = NodeOf<"linear"> | NodeOf<"matmul">;

/** Columns of the logits that are computed at once where only losses read them; fewer than these are computed whole. */
export const LOGITS_BLOCK = 1024;

/**
 * The nodes that another node takes over, each with that node:
 *
 * - products, by what finishes them: an activation, the gradient of one, or a sum, also of what a dropout leaves of them.
 *   Nobody else may read them, but for the gradient of the activation, which reads what the product was before;
 * - wide logits, by the losses that alone read them, and what follows from their gradient, by that gradient;
 * - rows that are added to a product, by the sum, which is made where the product lies.
 */
export function findFusions(graph: Graph): ReadonlyMap<AnyNode, AnyNode> {
  const readers = readersIn(graph);
  const outputs = new Set(Object.values(graph.outputs));
  const areOnlyReaders = (tensor: AnyTensor, isUser: (reader: AnyNode) => boolean) =>
    !outputs.has(tensor) && (readers.get(tensor) ?? []).every(isUser);
  const isOnlyFor = (tensor: Tensor, node: AnyNode) =>
    areOnlyReaders(tensor, (reader) => reader === node || isGradientOf(reader, node));

  const fusions = new Map<AnyNode, AnyNode>();
  /** `reader`: what reads the product on its way to the user, if not that itself. */
  const take = (tensor: Tensor, user: AnyNode, reader = user): boolean => {
    const { node } = tensor;
    if (!isProduct(node) || fusions.has(node) || !isOnlyFor(tensor, reader)) return false;
    fusions.set(node, user);
    return true;
  };
  for (const node of graph.nodes) {
    if (isNode(node, "linear")) takeLogits(node);
    if (isNode(node, "activation")) take(node.inputs.x, node);
    if (isNode(node, "activationGradient")) take(node.inputs.dy, node);
    if (isNode(node, "add")) {
      const { a, b } = node.inputs;
      if (a === b) continue;
      if (takeRows(node) || takeDropped(b, node) || takeDropped(a, node)) continue;
      if (!take(b, node)) take(a, node);
    }
  }
  return fusions;

  function takeDropped({ node }: Tensor, user: AnyNode): boolean {
    if (!isNode(node, "dropout") || !isOnlyFor(node.outputs[0] as Tensor, user)) return false;
    if (!take(node.inputs.x, user, node)) return false;
    fusions.set(node, user);
    return true;
  }

  function takeLogits(node: NodeOf<"linear">): void {
    const [logits] = node.outputs;
    const { shape } = node.inputs.weight;
    if (!isFixed(shape) || shape[0] <= LOGITS_BLOCK || !areOnlyReaders(logits, isJudge)) return;
    const [judge, ...others] = readers.get(logits)!;
    const gradients = [judge, ...others].filter((reader) => isNode(reader, "softmaxCrossEntropyGradient"));
    const follows = (reader: AnyNode) => followsFromLogits(reader, node);
    if (!gradients.every(({ outputs: [dlogits] }) => areOnlyReaders(dlogits, follows))) return;
    fusions.set(node, judge);
    for (const gradient of gradients) {
      for (const reader of readers.get(gradient.outputs[0]) ?? []) fusions.set(reader, gradient);
    }
  }

  function takeRows(sum: NodeOf<"add">): boolean {
    const addition = rowAddition(sum);
    if (addition === undefined) return false;
    const { base, rows } = addition;
    if (!isOnlyFor(base, sum) || !isOnlyFor(rows.outputs[0] as Tensor, sum)) return false;
    fusions.set(rows, sum);
    return true;
  }
}

/** The nodes that read each tensor. */
export function readersIn(graph: Graph): ReadonlyMap<AnyTensor, readonly AnyNode[]> {
  const readers = new Map<AnyTensor, AnyNode[]>();
  for (const node of graph.nodes) {
    const inputs: AnyTensor[] = Object.values(node.inputs);
    for (const tensor of inputs) readers.set(tensor, [...(readers.get(tensor) ?? []), node]);
  }
  return readers;
}

export function isProduct(node: AnyNode): node is ProductNode {
  return isNode(node, "linear") || isNode(node, "matmul");
}

/** A sum of a product and added rows, of a fixed shape, as that of the gradients of an embedding with two uses is. */
export function rowAddition({
  inputs: { a, b },
}: NodeOf<"add">): { base: Tensor; rows: NodeOf<"scatterAdd"> } | undefined {
  const [base, { node: rows }] = isNode(a.node, "scatterAdd") ? [b, a] : [a, b];
  return isFixed(base.shape) && isNode(base.node, "matmul") && isNode(rows, "scatterAdd") ? { base, rows } : undefined;
}

function isFixed(shape: Shape): shape is readonly number[] {
  return shape.every((d) => typeof d === "number");
}

function isGradientOf(reader: AnyNode, node: AnyNode): boolean {
  return isNode(reader, "activationGradient") && reader.attributes.forward === node;
}

function isJudge({ op }: AnyNode): boolean {
  return op === "softmaxCrossEntropy" || op === "softmaxCrossEntropyGradient" || op === "accuracy";
}

/** Whether it is a gradient of the layer's input, weight or bias, made from that of the logits. */
function followsFromLogits(reader: AnyNode, { inputs: { x, weight } }: NodeOf<"linear">): boolean {
  if (isNode(reader, "sumRows")) return true;
  if (!isNode(reader, "matmul") || reader.attributes.transposeB) return false;
  return reader.inputs.b === (reader.attributes.transposeA ? x : weight);
}
