import type { AnyNode, AnyTensor, NodeOf } from "../../graph/operations.ts";
import type { OnnxBuilder } from "./builder.ts";

/** What a lowering works with: the model under construction and the ONNX names of what is lowered already. */
export interface Lowering {
  readonly onnx: OnnxBuilder;
  /** ONNX name of a tensor. */
  name(tensor: AnyTensor): string;
  /** Name of the input that carries the dropout mask of a forward node. */
  mask(node: AnyNode): string;
  /** Values that a forward node leaves to its gradient. */
  keep(node: AnyNode, values: Readonly<Record<string, string>>): void;
  kept(node: AnyNode, name: string): string;
  /** Makes a value once for each key. */
  shared<T>(key: object, make: () => T): T;
  /** Adds an initializer or an input for a parameter. */
  parameter(node: NodeOf<"parameter">): string;
}
