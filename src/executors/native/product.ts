import type { ActivationKind, NodeOf, Tensor } from "../../graph/operations.ts";
import type { Dim } from "../../graph/shape.ts";
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
  const { left, transposeLeft, right, transposeRight, bias } = factors(node);
  const [rows, columns] = node.outputs[0].shape;
  const inner = left.shape[transposeLeft ? 0 : 1];
  const bias_ = bias && l.read(bias, "float32");
  const size = { rows, columns, inner };
  if (node.op === "linear" && l.isQuantized(right)) {
    const sides = [l.quantizedRows(left), l.quantizedPanels(right)];
    l.call("quantizedProduct", ...sides, ...sizesOf(size), ...endingOf(bias_, finish, l));
    return;
  }
  const packed = l.packed(right, { inner, columns }, transposeRight);
  multiply({ left: l.stored(left), transposeLeft, packed, bias: bias_, size }, finish, l);
}

/** What a product is made of, wherever it lies. */
export interface StoredFactors {
  readonly left: Stored;
  readonly transposeLeft?: boolean;
  readonly packed: Place;
  readonly bias?: Place;
  readonly size: Size;
}

interface Size {
  readonly rows: Dim;
  readonly columns: Dim;
  readonly inner: Dim;
}

/** Adds the call of a product of factors that need not be whole tensors. */
export function multiply(factors: StoredFactors, finish: Finish, l: Lowering): void {
  const { left, transposeLeft = false, packed, bias, size } = factors;
  const numbers = [typeNumber(l.activationType), left.place, typeNumber(left.type), Number(transposeLeft)];
  l.call("product", ...numbers, packed, ...sizesOf(size), ...endingOf(bias, finish, l));
}

function sizesOf({ rows, columns, inner }: Size): Argument[] {
  return [dim(rows), dim(columns), dim(inner)];
}

/** The arguments that all products end with. */
function endingOf(bias: Place | undefined, finish: Finish, l: Lowering): Argument[] {
  const { out, before = null, activation, slopeAt = null, dropout, addend = null } = finish;
  const mask: Argument[] = dropout ? [seedOf, l.site(dropout), dropout.attributes.rate] : [0, 0, 0];
  return [
    ...[out.place, typeNumber(out.type), bias ?? null, addend, before, slopeAt],
    ...[activation ? ACTIVATION_NUMBERS[activation] : 0, ...mask],
  ];
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
