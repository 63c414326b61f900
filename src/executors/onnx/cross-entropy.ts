import type { NodeOf } from "../../graph/operations.ts";
import type { Lowering } from "./lowering.ts";

/** Σ weight × (log Σ exp z - z[label]) with z = logits - max. LogSoftmax would be one node, but webgpu has none. */
export function lowerCrossEntropy(node: NodeOf<"softmaxCrossEntropy">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const logits = name(node.inputs.logits);
  const sub = (a: string, b: string) => onnx.node("Sub", [a, b]);
  const alongRow = (op: string, x: string) => onnx.node(op, [x, onnx.int([-1])], { attributes: { keepdims: 1 } });
  const max = alongRow("ReduceMax", logits); // [R, 1]
  const powers = onnx.node("Exp", [sub(logits, max)]); // [R, K]
  const total = alongRow("ReduceSum", powers); // [R, 1]
  const column = onnx.node("Unsqueeze", [name(node.inputs.labels), onnx.int([1])]); // [R, 1]
  lowering.keep(node, { powers, total, column });
  const chosen = sub(onnx.node("GatherElements", [logits, column], { attributes: { axis: 1 } }), max); // [R, 1]
  const losses = onnx.node("Squeeze", [sub(onnx.node("Log", [total]), chosen), onnx.int([1])]); // [R]
  return onnx.sum(onnx.node("Mul", [losses, name(node.inputs.weights)]), 0); // []
}

/** dlogits = weight × dy × (softmax(logits) - 1 at the label) */
export function lowerCrossEntropyGradient(
  { inputs, attributes: { forward } }: NodeOf<"softmaxCrossEntropyGradient">,
  { onnx, name, kept }: Lowering,
): string {
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const scale = onnx.node("Unsqueeze", [mul(name(inputs.weights), name(inputs.dy)), onnx.int([1])]); // [R, 1]
  const share = onnx.node("Div", [scale, kept(forward, "total")]); // [R, 1]
  return onnx.node(
    "ScatterElements",
    [mul(kept(forward, "powers"), share), kept(forward, "column"), onnx.node("Neg", [scale])],
    { attributes: { axis: 1, reduction: "add" } },
  ); // [R, K]
}
