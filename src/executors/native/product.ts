import type { ActivationKind, NodeOf, Tensor } from "../../graph/operations.ts";
import type { ProductNode } from "./fusion.ts";
import { dim, type Lowering, seedOf, typeNumber } from "./lowering.ts";
import type { Argument, Place, Stored } from "./plan.ts";

/** As native/kernels/activation.h numbers them. */
export const ACTIVATION_NUMBERS: Readonly<Record<ActivationKind, number>> = {
  gelu: 1,
  gelu_new: 2,
  relu: 3,
  silu: 4,
  tanh: 5,
};

/** What becomes of the sums of a product, in this order, before they are stored. */
export interface Finish {
  readonly out: Stored;
  /** Where they go before the activation, as `out` is stored. */
  readonly before?: Place;
  readonly activation?: ActivationKind;
  /** Multiply by the activation's slope at these places, instead. */
  readonly slopeAt?: Place;
  readonly dropout?: NodeOf<"dropout">;
  readonly addend?: Place;
}

/** Adds the call of one product, with a linear layer's bias. */
export function lowerProduct(node: ProductNode, finish: Finish, l: Lowering): void {
  const { out, before = null, activation, slopeAt = null, dropout, addend = null } = finish;
  const { left, transposeLeft, right, transposeRight, bias } = factors(node);
  const [rows, columns] = node.outputs[0].shape;
  const inner = left.shape[transposeLeft ? 0 : 1];
  const sizes = [dim(rows), dim(columns), dim(inner)];
  const mask: Argument[] = dropout ? [seedOf, l.site(dropout), dropout.attributes.rate] : [0, 0, 0];
  const ending = [
    ...[out.place, typeNumber(out.type), bias ? l.read(bias, "float32") : null, addend, before, slopeAt],
    ...[activation ? ACTIVATION_NUMBERS[activation] : 0, ...mask],
  ];
  if (node.op === "linear" && l.isQuantized(right)) {
    l.call("quantizedProduct", l.quantizedRows(left), l.quantizedPanels(right), ...sizes, ...ending);
    return;
  }
  const from = l.stored(left);
  const packed = l.packed(right, { inner, columns }, transposeRight);
  const numbers = [typeNumber(l.activationType), from.place, typeNumber(from.type), Number(transposeLeft)];
  l.call("product", ...numbers, packed, ...sizes, ...ending);
}

interface Factors {
  readonly left: Tensor;
  readonly transposeLeft: boolean;
  readonly right: Tensor;
  readonly transposeRight: boolean;
  readonly bias?: Tensor;
}

function factors(node: ProductNode): Factors {
  if (node.op === "linear") {
    const { x, weight, bias } = node.inputs;
    return { left: x, transposeLeft: false, right: weight, transposeRight: true, bias };
  }
  const { transposeA, transposeB } = node.attributes;
  return { left: node.inputs.a, transposeLeft: transposeA, right: node.inputs.b, transposeRight: transposeB };
}
