import { ClozeError } from "../base/errors.ts";
import { mapValues } from "../base/map-values.ts";
import {
  activationGradient,
  add,
  attentionGradient,
  constant,
  dropoutGradient,
  layerNormGradient,
  matmul,
  repeat,
  scatterAdd,
  segmentCrossEntropyGradient,
  sigmoidCrossEntropyGradient,
  softmaxCrossEntropyGradient,
  squaredErrorGradient,
  sumRows,
} from "./build.ts";
import { sortNodes } from "./graph.ts";
import {
  type AnyNode,
  type AnyTensor,
  type InputsOf,
  isNode,
  type NodeOf,
  type OpName,
  type Tensor,
} from "./operations.ts";

/** The gradients of a node's inputs, given that of its (only) output; an input left out has none. */
type GradientRule<K extends OpName> = (dy: Tensor, node: NodeOf<K>) => { readonly [I in keyof InputsOf<K>]?: Tensor };

/** One row an operation. Index inputs have no gradient; a gradient operation is not differentiated again. */
const GRADIENT_RULES: { readonly [K in OpName]: GradientRule<K> | "not differentiable" } = {
  input: () => ({}),
  parameter: () => ({}),
  constant: () => ({}),
  positions: () => ({}),
  starts: () => ({}),
  gather: (dy, { inputs: { source, indices } }) => ({ source: scatterAdd(indices, dy, source) }),
  add: (dy) => ({ a: dy, b: dy }),
  linear: (dy, { inputs: { x, weight } }) => ({
    x: matmul(dy, weight),
    weight: matmul(dy, x, { transposeA: true }),
    bias: sumRows(dy),
  }),
  activation: (dy, node) => ({ x: activationGradient(dy, node) }),
  layerNorm: (dy, node) => {
    const { dx, dweight, dbias } = layerNormGradient(dy, node);
    return { x: dx, weight: dweight, bias: dbias };
  },
  dropout: (dy, node) => ({ x: dropoutGradient(dy, node) }),
  attention: (dy, node) => {
    const { dquery, dkey, dvalue } = attentionGradient(dy, node);
    return { query: dquery, key: dkey, value: dvalue };
  },
  softmaxCrossEntropy: (dy, node) => ({ logits: softmaxCrossEntropyGradient(dy, node) }),
  segmentCrossEntropy: (dy, node) => ({ logits: segmentCrossEntropyGradient(dy, node) }),
  sigmoidCrossEntropy: (dy, node) => ({ logits: sigmoidCrossEntropyGradient(dy, node) }),
  squaredError: (dy, node) => ({ predictions: squaredErrorGradient(dy, node) }),
  accuracy: "not differentiable",
  scatterAdd: "not differentiable",
  matmul: "not differentiable",
  sumRows: "not differentiable",
  activationGradient: "not differentiable",
  layerNormGradient: "not differentiable",
  dropoutGradient: "not differentiable",
  attentionGradient: "not differentiable",
  softmaxCrossEntropyGradient: "not differentiable",
  segmentCrossEntropyGradient: "not differentiable",
  sigmoidCrossEntropyGradient: "not differentiable",
  squaredErrorGradient: "not differentiable",
};

export interface DifferentiateOptions {
  /**
   * Compute activations again in the backward pass rather than keep them from the forward pass: less memory for more
   * work, and the same numbers (Chen et al. 2016, https://arxiv.org/abs/1604.06174). What normalisations read is kept.
   */
  readonly recompute?: boolean;
}

/**
 * The gradients of a scalar with respect to some tensors, as tensors of a larger graph (reverse mode). Only nodes between
 * those tensors and the loss get a gradient, so frozen layers cost nothing.
 *
 * Throws NOT_DIFFERENTIABLE where the loss is no scalar or does not depend on one of the tensors.
 */
export function differentiate(
  loss: Tensor,
  wrt: readonly AnyTensor[],
  { recompute = false }: DifferentiateOptions = {},
): Tensor[] {
  if (loss.shape.length > 0) {
    throw new ClozeError("NOT_DIFFERENTIABLE", {
      problem: "only a scalar has a gradient here",
      expected: "a loss of shape []",
      received: `shape [${loss.shape.join(", ")}]`,
    });
  }
  const nodes = sortNodes([loss]);
  const needed = nodesDownstream(nodes, wrt);
  const again = recompute ? repetition(nodes) : (node: AnyNode) => node;
  const gradients = new Map<AnyTensor, Tensor>([[loss, constant(1)]]);
  for (const node of nodes.reverse()) {
    const dy = gradients.get(node.outputs[0]);
    if (dy === undefined || !needed.has(node)) continue;
    for (const [tensor, gradient] of inputGradients(dy, node, again(node))) {
      if (!needed.has(tensor.node)) continue;
      const sum = gradients.get(tensor);
      gradients.set(tensor, sum === undefined ? gradient : add(sum, gradient));
    }
  }
  return wrt.map((tensor) => {
    const gradient = gradients.get(tensor);
    if (gradient !== undefined) return gradient;
    throw new ClozeError("NOT_DIFFERENTIABLE", {
      problem: `the loss does not depend on ${"name" in tensor.node.attributes ? tensor.node.attributes.name : tensor.node.op}`,
    });
  });
}

/** The gradient of a loss with respect to each parameter that it depends on, by the parameters' names. */
export function parameterGradients(loss: Tensor, options?: DifferentiateOptions): Record<string, Tensor> {
  const parameters = sortNodes([loss]).filter((node) => isNode(node, "parameter"));
  const gradients = differentiate(
    loss,
    parameters.map(({ outputs }) => outputs[0]),
    options,
  );
  return Object.fromEntries(parameters.map(({ attributes }, i) => [attributes.name, gradients[i]]));
}

/** The gradients of a node's inputs, from the values that `source` has: the node itself or one that repeats it. */
function inputGradients<K extends OpName>(dy: Tensor, node: NodeOf<K>, source: NodeOf<K>): [AnyTensor, Tensor][] {
  const rule: GradientRule<K> | "not differentiable" = GRADIENT_RULES[node.op];
  if (rule === "not differentiable") {
    throw new ClozeError("NOT_DIFFERENTIABLE", { problem: `${node.op} has no gradient of its own` });
  }
  const inputs: Readonly<Record<string, AnyTensor>> = node.inputs;
  const gradients: Readonly<Record<string, Tensor | undefined>> = rule(dy, source);
  return Object.entries(gradients).flatMap(([name, gradient]) => (gradient ? [[inputs[name], gradient]] : []));
}

/** The nodes that depend on one of the tensors, themselves included. */
function nodesDownstream(nodes: readonly AnyNode[], tensors: readonly AnyTensor[]): Set<AnyNode> {
  const reached = new Set<AnyNode>(tensors.map(({ node }) => node));
  for (const node of nodes) {
    const inputs: AnyTensor[] = Object.values(node.inputs);
    if (inputs.some((tensor) => reached.has(tensor.node))) reached.add(node);
  }
  return reached;
}

/**
 * What repeats each node that a normalisation is computed from. The nodes behind the inputs of the normalisations fall
 * into segments, each of which goes from one such input to the next: about half a layer of BERT. A segment is repeated
 * when the backward pass comes to it, from what crosses its border, which is kept.
 */
function repetition(nodes: readonly AnyNode[]): (node: AnyNode) => AnyNode {
  const segments = new Map<AnyNode, readonly AnyNode[]>();
  for (const node of nodes) {
    if (!isNode(node, "layerNorm")) continue;
    const segment = sortNodes([node.inputs.x]).filter((behind) => !segments.has(behind) && isComputed(behind));
    for (const member of segment) segments.set(member, segment);
  }
  const copies = new Map<AnyNode, AnyNode>();
  const copyOf = (tensor: AnyTensor) => copies.get(tensor.node)?.outputs[tensor.output] ?? tensor;
  return (node) => {
    if (isNode(node, "dropout")) return node; // its mask is all that its gradient needs
    if (!copies.has(node)) {
      for (const member of segments.get(node) ?? []) {
        copies.set(member, repeat(member, mapValues<AnyTensor, AnyTensor>(member.inputs, copyOf)));
      }
    }
    return copies.get(node) ?? node;
  };
}

function isComputed({ inputs }: AnyNode): boolean {
  return Object.keys(inputs).length > 0;
}
