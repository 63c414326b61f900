import type { AnyNode, AnyTensor, NodeOf, OpName, Tensor } from "../../graph/operations.ts";
import type { Dim, Shape } from "../../graph/shape.ts";
import type { KernelName } from "./families.ts";
import type { ProductNode } from "./fusion.ts";
import { LAYOUT } from "./layout.ts";
import {
  type Argument,
  type Place,
  type Quantity,
  quantityIn,
  type RunSizes,
  type Stored,
  type Type,
  type Whole,
} from "./plan.ts";

/** What a rule works with: the plan under construction, and where everything lies that was lowered before. */
export interface Lowering {
  /** What products are computed in and activations, their gradients too, are stored as. */
  readonly activationType: "float32" | "bfloat16";
  /** Adds a call to the plan. */
  call(kernel: KernelName, ...args: readonly Argument[]): void;
  /** Where a value lies, as numbers of the type: converted first if it is stored as another. */
  read(tensor: AnyTensor, type: Type): Place;
  /** Where integers lie. */
  read(tensor: Tensor<"int32">): Place;
  /** Where a value lies, as it is stored. */
  stored(tensor: AnyTensor): Stored<Whole>;
  /**
   * Makes room for an output of the node that is lowered: as an activation, or as floats where more than 8 bits matter
   * (outputs of the run, gradients of parameters, what losses read).
   */
  write(tensor: AnyTensor, type?: Type): Stored<Whole>;
  /** Makes an output of the node from what lies at a tensor that nobody reads any more. */
  writeOver(tensor: AnyTensor, base: AnyTensor): Stored<Whole>;
  /** Whether any node, but for the one that is left out of account, or the run reads it. */
  isRead(tensor: AnyTensor, but?: AnyNode): boolean;
  /** Room for numbers of the node's own. */
  scratch(count: Quantity, type?: Type): Place;
  /** Keeps places of a node for the node of its gradient. */
  keep(node: AnyNode, places: Readonly<Record<string, Place>>): void;
  /** A place that was kept of a node. */
  kept(node: AnyNode, name: string): Place;
  /**
   * The right side of a product, [inner, columns], packed; `transposed` if it is stored as [columns, inner]; `part` if it is
   * only some rows of the tensor.
   */
  packed(right: Tensor, size: { inner: Dim; columns: Dim }, transposed: boolean, part?: Stored): Place;
  /** Whether linear layers with this weight are computed in 8-bit integers, of the two sides below. */
  isQuantized(weight: Tensor): boolean;
  /** The left side of a product, [rows, inner], quantized row by row. */
  quantizedRows(left: Tensor): Place;
  /** The right side, stored as [columns, inner], quantized column by column and packed. */
  quantizedPanels(weight: Tensor): Place;
  /** The number of a dropout's node among the graph's. */
  site(forward: AnyNode): number;
  /** The product behind a tensor, if the node that is lowered takes it over. */
  fused(tensor: AnyTensor): ProductNode | undefined;
  /** Whether any node takes it over. */
  isTaken(node: AnyNode): boolean;
  /** The nodes that a node takes over. */
  takenBy(node: AnyNode): readonly AnyNode[];
  /** What several nodes need of two tensors, made where the first of them is lowered. */
  shared(a: AnyTensor, b: AnyTensor, make: () => Place): Place;
}

/** Adds the calls that compute a node's outputs. */
export type Rule<K extends OpName> = (node: NodeOf<K>, lowering: Lowering) => void;

/** The value of a dimension in a run. */
export function dim(value: Dim): Quantity {
  return typeof value === "number" ? value : ({ bindings }) => bindings.get(value)!;
}

/** How many numbers have the shape. */
export function count(shape: Shape): Quantity {
  return (run) => shape.reduce<number>((product, d) => product * quantityIn(dim(d), run), 1);
}

/** Room for sums of columns over blocks of rows. */
export function blockSums(rows: Dim, columns: Dim, sums = 1): Quantity {
  const [height, width] = [dim(rows), dim(columns)];
  return (run) => Math.ceil(quantityIn(height, run) / LAYOUT.rowBlock) * quantityIn(width, run) * sums;
}

const TYPE_NUMBERS: Readonly<Record<Type, number>> = { float32: 0, bfloat16: 1, int32: 0 };

/** A type as kernels are told of it; numbers that are only moved count as floats. */
export function typeNumber(type: Type): number {
  return TYPE_NUMBERS[type];
}

/** The seed of a run's masks. */
export function seedOf({ seed }: RunSizes): number {
  return seed;
}
