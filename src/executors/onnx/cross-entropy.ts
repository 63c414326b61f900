import type { NodeOf } from "../../graph/operations.ts";
import type { OnnxBuilder } from "./builder.ts";
import type { Lowering } from "./lowering.ts";

/** Σ weight × cross-entropy of each row. */
export function lowerCrossEntropy(node: NodeOf<"softmaxCrossEntropy">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const { losses, ...rest } = crossEntropy(name(node.inputs.logits), name(node.inputs.labels), onnx); // [R]
  lowering.keep(node, rest);
  return onnx.sum(onnx.node("Mul", [losses, name(node.inputs.weights)]), 0); // []
}

export function lowerCrossEntropyGradient(
  { inputs, attributes: { forward } }: NodeOf<"softmaxCrossEntropyGradient">,
  lowering: Lowering,
): string {
  const { onnx, name } = lowering;
  const scale = onnx.node("Mul", [name(inputs.weights), name(inputs.dy)]); // [R]
  return crossEntropyGradient(scale, forward, lowering); // [R, K]
}

/** What the gradient needs of `crossEntropy`. */
type Kept = Readonly<Record<"powers" | "total" | "column", string>>;

/**
 * log Σ exp z - z[label] with z = logits - max, along the last axis: logits [..., K], labels [...] -> [...]. LogSoftmax
 * would be one node, but webgpu has none.
 */
export function crossEntropy(logits: string, labels: string, onnx: OnnxBuilder): Kept & { readonly losses: string } {
  const sub = (a: string, b: string) => onnx.node("Sub", [a, b]);
  const last = onnx.int([-1]);
  const alongRow = (op: string, x: string) => onnx.node(op, [x, last], { attributes: { keepdims: 1 } });
  const max = alongRow("ReduceMax", logits); // [..., 1]
  const powers = onnx.node("Exp", [sub(logits, max)]); // [..., K]
  const total = alongRow("ReduceSum", powers); // [..., 1]
  const column = onnx.node("Unsqueeze", [labels, last]); // [..., 1]
  const chosen = sub(onnx.node("GatherElements", [logits, column], { attributes: { axis: -1 } }), max); // [..., 1]
  const losses = onnx.node("Squeeze", [sub(onnx.node("Log", [total]), chosen), last]); // [...]
  return { losses, powers, total, column };
}

/** scale × (softmax(logits) - 1 at the label), for what the forward node kept: scale [...] -> [..., K]. */
export function crossEntropyGradient(
  scale: string,
  forward: NodeOf<"softmaxCrossEntropy" | "segmentCrossEntropy">,
  { onnx, kept }: Lowering,
): string {
  const factor = onnx.node("Unsqueeze", [scale, onnx.int([-1])]); // [..., 1]
  const share = onnx.node("Div", [factor, kept(forward, "total")]); // [..., 1]
  const spread = onnx.node("Mul", [kept(forward, "powers"), share]); // [..., K]
  return onnx.node("ScatterElements", [spread, kept(forward, "column"), onnx.node("Neg", [factor])], {
    attributes: { axis: -1, reduction: "add" },
  });
}
