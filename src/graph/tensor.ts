import type { AnyNode } from "./operations.ts";

/** A dimension is a number, or a letter whose value each run brings (docs/glossary.md). */
export type Letter = "B" | "M" | "S" | "T";
export type Dim = number | Letter;
export type Shape = readonly Dim[];

export type Dtype = "float32" | "int32";

/** A value that a graph will compute: one output of one node. It holds no numbers. */
export interface Tensor<D extends Dtype = "float32"> {
  readonly node: AnyNode;
  /** Which of the node's outputs this is. */
  readonly output: number;
  readonly dtype: D;
  readonly shape: Shape;
}

export type AnyTensor = Tensor<Dtype>;

/** `[T, 768]`, as messages and dumps print shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
