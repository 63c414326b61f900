import type { NodeOf } from "../../graph/operations.ts";
import { sequenceLayout } from "./attention.ts";
import { crossEntropy, crossEntropyGradient } from "./cross-entropy.ts";
import type { Lowering } from "./lowering.ts";

/**
 * Σ weight × cross-entropy of each group and column. The groups are laid out as attention lays out sequences, S rows of
 * the longest each; where they are the sequences, as in question answering, the layout is attention's own.
 */
export function lowerSegmentCrossEntropy(node: NodeOf<"segmentCrossEntropy">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const { tokenOfCell, bias } = sequenceLayout(node.inputs.lengths, lowering);
  const cells = onnx.node("Gather", [name(node.inputs.logits), tokenOfCell], { attributes: { axis: 0 } }); // [G, S, C]
  const never = onnx.node("Squeeze", [bias, onnx.int([1])]); // [G, 1, S]
  const logits = onnx.node("Add", [turn(cells, lowering), never]); // [G, C, S]
  const { losses, ...rest } = crossEntropy(logits, name(node.inputs.labels), onnx); // [G, C]
  lowering.keep(node, rest);
  return onnx.sum(onnx.node("Mul", [onnx.sum(losses, 1), name(node.inputs.weights)]), 0); // []
}

export function lowerSegmentCrossEntropyGradient(
  { inputs, attributes: { forward } }: NodeOf<"segmentCrossEntropyGradient">,
  lowering: Lowering,
): string {
  const { onnx, name } = lowering;
  const { cellOfToken } = sequenceLayout(inputs.lengths, lowering);
  const scale = onnx.node("Mul", [name(inputs.weights), name(inputs.dy)]); // [G]
  const column = onnx.node("Unsqueeze", [scale, onnx.int([1])]); // [G, 1]
  const scales = onnx.node("Expand", [column, onnx.node("Shape", [name(inputs.labels)])]); // [G, C]
  const cells = turn(crossEntropyGradient(scales, forward, lowering), lowering); // [G, S, C]
  const rows = onnx.node("Reshape", [cells, onnx.int([-1, Number(inputs.logits.shape[1])])]); // [G * S, C]
  return onnx.node("Gather", [rows, cellOfToken], { attributes: { axis: 0 } }); // [R, C]
}

/** [G, S, C] -> [G, C, S], and back. */
function turn(x: string, { onnx }: Lowering): string {
  return onnx.node("Transpose", [x], { attributes: { perm: [0, 2, 1] } });
}
