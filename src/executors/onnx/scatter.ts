import type { NodeOf } from "../../graph/operations.ts";
import { ELEMENT } from "./builder.ts";
import type { Lowering } from "./lowering.ts";

/** Up to this many rows, a product with a one-hot matrix of all rows costs next to nothing. */
const FEW_ROWS = 1024;

/**
 * Sums rows by index as a product with a one-hot matrix, [I, R]ᵀ · [I, C] -> [R, C]. ONNX has ScatterND with
 * reduction="add" for this, but ONNX Runtime runs it on several threads without care for equal indices, which loses
 * additions (its issue 18048). A large table is reduced to the rows that occur first, which ScatterND then places.
 */
export function lowerScatterAdd({ inputs }: NodeOf<"scatterAdd">, { onnx, name }: Lowering): string {
  const [indices, updates] = [name(inputs.indices), name(inputs.updates)]; // [I], [I, C]
  const cast = (x: string, to: number) => onnx.node("Cast", [x], { attributes: { to } });
  const sumByOneHot = (indices: string, rows: string) => {
    const row = cast(onnx.node("Range", [onnx.int(0), rows, onnx.int(1)]), ELEMENT.int32); // [R]
    // Not OneHot, which webgpu lacks.
    const oneHot = cast(onnx.node("Equal", [onnx.node("Unsqueeze", [indices, onnx.int([1])]), row]), ELEMENT.float32);
    return onnx.node("Gemm", [oneHot, updates], { attributes: { transA: 1 } }); // [R, C]
  };
  const [rows] = inputs.like.shape;
  if (typeof rows === "number" && rows <= FEW_ROWS) return sumByOneHot(indices, onnx.int(rows));

  const [occurring, , ranks] = onnx.nodes("Unique", [cast(indices, ELEMENT.int64)], {
    attributes: { sorted: 1 },
    outputs: 3,
  });
  const sums = sumByOneHot(cast(ranks!, ELEMENT.int32), onnx.node("Size", [occurring!])); // [U, C]
  const zeros = onnx.node("Expand", [onnx.float(0), onnx.node("Shape", [name(inputs.like)])]); // [R, C]
  return onnx.node("ScatterND", [zeros, onnx.node("Unsqueeze", [occurring!, onnx.int([1])]), sums]); // [R, C]
}
