import type { AnyNode, NodeOf, OpName } from "../../graph/operations.ts";
import type { AnyTensor } from "../../graph/tensor.ts";
import { lowerActivation, lowerActivationGradient } from "./activation.ts";
import { lowerAttention, lowerAttentionGradient, sequenceLayout } from "./attention.ts";
import { MICROSOFT, type OnnxBuilder } from "./builder.ts";
import { lowerLayerNorm, lowerLayerNormGradient } from "./layer-norm.ts";
import { lowerScatterAdd } from "./scatter.ts";

/** What a lowering works with: the model under construction and the ONNX names of what is lowered already. */
export interface Lowering {
  readonly onnx: OnnxBuilder;
  /** ONNX name of a tensor. */
  name(tensor: AnyTensor): string;
  /** Name of the input that carries the dropout mask of a forward node. */
  mask(node: AnyNode): string;
  /** Values that a forward node leaves to its gradient. */
  keep(node: AnyNode, values: Readonly<Record<string, string>>): void;
  kept(node: AnyNode, name: string): string;
  /** Makes a value once for each key. */
  shared<T>(key: object, make: () => T): T;
  /** Adds an initializer or an input for a parameter. */
  parameter(node: NodeOf<"parameter">): string;
}

type Rule<K extends OpName> = (node: NodeOf<K>, lowering: Lowering) => string | readonly string[];

/** One row an operation: the ONNX nodes that compute it; the names of its outputs come back. */
const LOWERINGS: { readonly [K in OpName]: Rule<K> } = {
  input: ({ attributes: { name, dtype, shape } }, { onnx }) => onnx.input(name, dtype, shape),
  parameter: (node, lowering) => lowering.parameter(node),
  constant: ({ attributes }, { onnx }) => onnx.float(attributes.value),
  positions: ({ inputs }, lowering) => sequenceLayout(inputs.lengths, lowering).positions,
  starts: ({ inputs }, lowering) => sequenceLayout(inputs.lengths, lowering).starts,

  gather: ({ inputs }, { onnx, name }) =>
    onnx.node("Gather", [name(inputs.source), name(inputs.indices)], { attributes: { axis: 0 } }),
  scatterAdd: lowerScatterAdd,

  add: ({ inputs }, { onnx, name }) => onnx.node("Add", [name(inputs.a), name(inputs.b)]),
  linear: ({ inputs }, { onnx, name }) =>
    onnx.node("Gemm", [name(inputs.x), name(inputs.weight), name(inputs.bias)], { attributes: { transB: 1 } }),
  matmul: ({ inputs, attributes }, { onnx, name }) =>
    onnx.node("Gemm", [name(inputs.a), name(inputs.b)], {
      attributes: { transA: Number(attributes.transposeA), transB: Number(attributes.transposeB) },
    }),
  sumRows: ({ inputs }, { onnx, name }) => sumOver(onnx, name(inputs.x), 0),

  activation: lowerActivation,
  activationGradient: lowerActivationGradient,
  layerNorm: lowerLayerNorm,
  layerNormGradient: lowerLayerNormGradient,

  dropout: (node, { onnx, name, mask }) => onnx.node("Mul", [name(node.inputs.x), mask(node)]),
  dropoutGradient: ({ inputs, attributes }, { onnx, name, mask }) =>
    onnx.node("Mul", [name(inputs.dy), mask(attributes.forward)]),

  attention: lowerAttention,
  attentionGradient: lowerAttentionGradient,

  softmaxCrossEntropy: (node, lowering) => {
    const { onnx, name } = lowering;
    const { logits, labels, weights } = node.inputs;
    const logProbabilities = onnx.node("LogSoftmax", [name(logits)], { attributes: { axis: -1 } }); // [R, K]
    const column = onnx.node("Unsqueeze", [name(labels), onnx.int([1])]); // [R, 1]
    lowering.keep(node, { logProbabilities, column });
    const chosen = onnx.node("GatherElements", [logProbabilities, column], { attributes: { axis: 1 } }); // [R, 1]
    const weighted = onnx.node("Mul", [onnx.node("Squeeze", [chosen, onnx.int([1])]), name(weights)]); // [R]
    return onnx.node("Neg", [sumOver(onnx, weighted, 0)]); // []
  },
  softmaxCrossEntropyGradient: ({ inputs, attributes: { forward } }, { onnx, name, kept }) => {
    const scale = onnx.node("Mul", [name(inputs.weights), name(inputs.dy)]); // [R]
    const rows = onnx.node("Unsqueeze", [scale, onnx.int([1])]); // [R, 1]
    const probabilities = onnx.node("Exp", [kept(forward, "logProbabilities")]); // [R, K]
    return onnx.node(
      "ScatterElements",
      [onnx.node("Mul", [probabilities, rows]), kept(forward, "column"), onnx.node("Neg", [rows])],
      { attributes: { axis: 1, reduction: "add" } },
    ); // [R, K]
  },
};

/** Lowers one node; returns the ONNX names of its outputs. */
export function lower<K extends OpName>(node: NodeOf<K>, lowering: Lowering): readonly string[] {
  const rule: Rule<K> = LOWERINGS[node.op];
  const names = rule(node, lowering);
  return typeof names === "string" ? [names] : names;
}

/** The sum over one axis, which goes away. */
export function sumOver(onnx: OnnxBuilder, x: string, axis: number): string {
  return onnx.node("ReduceSum", [x, onnx.int([axis])], { attributes: { keepdims: 0 } });
}

/** A batched product with either side transposed and a factor. */
export function fusedMatMul(
  onnx: OnnxBuilder,
  a: string,
  b: string,
  { transA = 0, transB = 0, alpha = 1 }: { transA?: number; transB?: number; alpha?: number } = {},
): string {
  return onnx.node("FusedMatMul", [a, b], {
    domain: MICROSOFT,
    attributes: { transA, transB, alpha: { float: alpha } },
  });
}
