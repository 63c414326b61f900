import type { NodeOf, OpName } from "../../graph/operations.ts";
import { lowerAccuracy } from "./accuracy.ts";
import { lowerActivation, lowerActivationGradient } from "./activation.ts";
import { lowerAttention, lowerAttentionGradient, sequenceLayout } from "./attention.ts";
import { ELEMENT } from "./builder.ts";
import { lowerCrossEntropy, lowerCrossEntropyGradient } from "./cross-entropy.ts";
import { lowerLayerNorm, lowerLayerNormGradient } from "./layer-norm.ts";
import type { Lowering } from "./lowering.ts";
import { lowerScatterAdd } from "./scatter.ts";
import { lowerSegmentCrossEntropy, lowerSegmentCrossEntropyGradient } from "./segment-cross-entropy.ts";
import { lowerSigmoidCrossEntropy, lowerSigmoidCrossEntropyGradient } from "./sigmoid-cross-entropy.ts";
import { lowerSquaredError, lowerSquaredErrorGradient } from "./squared-error.ts";

type Rule<K extends OpName> = (node: NodeOf<K>, lowering: Lowering) => string | readonly string[];

/** One row an operation: the ONNX nodes that compute it; the names of its outputs come back. */
const LOWERINGS: { readonly [K in OpName]: Rule<K> } = {
  input: ({ attributes: { name, dtype, shape } }, { onnx }) => onnx.input(name, dtype, shape),
  parameter: (node, lowering) => lowering.parameter(node),
  constant: ({ attributes }, { onnx }) => onnx.float(attributes.value),
  positions: ({ inputs }, lowering) => int32(lowering, sequenceLayout(inputs.lengths, lowering).positions),
  starts: ({ inputs }, lowering) => int32(lowering, sequenceLayout(inputs.lengths, lowering).starts),

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
  sumRows: ({ inputs }, { onnx, name }) => onnx.sum(name(inputs.x), 0),

  activation: lowerActivation,
  activationGradient: lowerActivationGradient,
  layerNorm: lowerLayerNorm,
  layerNormGradient: lowerLayerNormGradient,

  dropout: (node, { onnx, name, mask }) => onnx.node("Mul", [name(node.inputs.x), mask(node)]),
  dropoutGradient: ({ inputs, attributes }, { onnx, name, mask }) =>
    onnx.node("Mul", [name(inputs.dy), mask(attributes.forward)]),

  attention: lowerAttention,
  attentionGradient: lowerAttentionGradient,

  softmaxCrossEntropy: lowerCrossEntropy,
  accuracy: lowerAccuracy,
  softmaxCrossEntropyGradient: lowerCrossEntropyGradient,
  segmentCrossEntropy: lowerSegmentCrossEntropy,
  segmentCrossEntropyGradient: lowerSegmentCrossEntropyGradient,
  sigmoidCrossEntropy: lowerSigmoidCrossEntropy,
  sigmoidCrossEntropyGradient: lowerSigmoidCrossEntropyGradient,
  squaredError: lowerSquaredError,
  squaredErrorGradient: lowerSquaredErrorGradient,
};

/** Lowers one node; returns the ONNX names of its outputs. */
export function lower<K extends OpName>(node: NodeOf<K>, lowering: Lowering): readonly string[] {
  const rule: Rule<K> = LOWERINGS[node.op];
  const names = rule(node, lowering);
  return typeof names === "string" ? [names] : names;
}

function int32({ onnx }: Lowering, x: string): string {
  return onnx.node("Cast", [x], { attributes: { to: ELEMENT.int32 } });
}
