import type { NodeOf } from "../../graph/operations.ts";
import type { Lowering } from "./lowering.ts";

/** Σ weight × (max(x, 0) - x t + log(1 + exp(-|x|))), which does not overflow; t are the targets. */
export function lowerSigmoidCrossEntropy({ inputs }: NodeOf<"sigmoidCrossEntropy">, { onnx, name }: Lowering): string {
  const x = name(inputs.logits); // [R, K]
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const power = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Abs", [x])])]); // [R, K]
  const bend = onnx.node("Log", [onnx.node("Add", [power, onnx.float(1)])]); // [R, K]
  const line = onnx.node("Sub", [onnx.node("Relu", [x]), mul(x, name(inputs.targets))]); // [R, K]
  const losses = mul(onnx.node("Add", [line, bend]), name(inputs.weights)); // [R, K]
  return onnx.sum(onnx.sum(losses, 1), 0); // []
}

/** dlogits = weight × dy × (σ(x) - t) */
export function lowerSigmoidCrossEntropyGradient(
  { inputs }: NodeOf<"sigmoidCrossEntropyGradient">,
  { onnx, name }: Lowering,
): string {
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const scale = mul(name(inputs.weights), name(inputs.dy)); // [R, K]
  const slope = onnx.node("Sub", [onnx.node("Sigmoid", [name(inputs.logits)]), name(inputs.targets)]); // [R, K]
  return mul(scale, slope); // [R, K]
}
