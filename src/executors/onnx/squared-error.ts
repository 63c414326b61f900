import type { NodeOf } from "../../graph/operations.ts";
import type { Lowering } from "./lowering.ts";

/** Σ weight × (prediction - target)² */
export function lowerSquaredError(node: NodeOf<"squaredError">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const predictions = onnx.node("Squeeze", [name(node.inputs.predictions), onnx.int([1])]); // [R]
  const error = onnx.node("Sub", [predictions, name(node.inputs.targets)]); // [R]
  lowering.keep(node, { error });
  return onnx.sum(onnx.node("Mul", [onnx.node("Mul", [error, error]), name(node.inputs.weights)]), 0); // []
}

/** dprediction = weight × dy × 2 (prediction - target) */
export function lowerSquaredErrorGradient(
  { inputs, attributes: { forward } }: NodeOf<"squaredErrorGradient">,
  { onnx, name, kept }: Lowering,
): string {
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const scale = mul(mul(name(inputs.weights), name(inputs.dy)), onnx.float(2)); // [R]
  return onnx.node("Unsqueeze", [mul(scale, kept(forward, "error")), onnx.int([1])]); // [R, 1]
}
