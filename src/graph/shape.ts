/** A dimension is a number, or a letter whose value each run brings (docs/glossary.md). */
export type Letter = "B" | "E" | "M" | "S" | "T";
export type Dim = number | Letter;
export type Shape = readonly Dim[];

export type Dtype = "float32" | "int32";

/** `[T, 768]`, as messages and dumps print shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
