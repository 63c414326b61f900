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
  const updates = name(inputs.updates);
  const sumByOneHot = (indices: string, rows: string) => {
    const oneHot = onnx.node("OneHot", [indices, rows, onnx.float([0, 1])]); // [I, R]
    return onnx.node("Gemm", [oneHot, updates], { attributes: { transA: 1 } }); // [R, C]
  };
  const [rows] = inputs.like.shape;
  const indices = onnx.node("Cast", [name(inputs.indices)], { attributes: { to: ELEMENT.int64 } }); // int64 [I]
  if (typeof rows === "number" && rows <= FEW_ROWS) return sumByOneHot(indices, onnx.int([rows]));

  const [occurring, , ranks] = onnx.nodes("Unique", [indices], { attributes: { sorted: 1 }, outputs: 3 });
  const sums = sumByOneHot(ranks!, onnx.node("Shape", [occurring!])); // [U, C]
  const zeros = onnx.node("ConstantOfShape", [onnx.node("Shape", [name(inputs.like)])]); // [R, C]
  return onnx.node("ScatterND", [zeros, onnx.node("Unsqueeze", [occurring!, onnx.int([1])]), sums]); // [R, C]
}
