import { type AnyNode, isNode, type NodeOf, type Tensor } from "../../graph/operations.ts";
import type { Dim } from "../../graph/shape.ts";
import { LOGITS_BLOCK } from "./fusion.ts";
import { blockSums, dim, type Lowering, typeNumber } from "./lowering.ts";
import { type Place, quantityIn, rowsOf, type Stored, type Type } from "./plan.ts";
import { multiply } from "./product.ts";

/** Some columns of logits [R, K], from `first` on, as floats. */
export interface LogitsBlock {
  readonly place: Place;
  readonly first: number;
  readonly columns: Dim;
}

/**
 * The logits of a loss: all at once where they lie, or, if only losses read those of a layer, block by block, each computed
 * when it is asked for, in the memory of the one before. A vocabulary's logits are then never whole in memory; for the
 * gradient they are computed again.
 */
export function* logitBlocks(logits: Tensor, l: Lowering): Generator<LogitsBlock> {
  const layer = fusedLayer(logits, l);
  if (layer === undefined) {
    yield { place: l.read(logits, "float32"), first: 0, columns: logits.shape[1] };
    return;
  }
  const { x, weight, bias, rows, inner } = layer;
  const place = scratchBlock(layer, "float32", l);
  for (const { first, columns } of blocksOf(layer)) {
    const size = { rows, columns, inner };
    const packed = l.packed(weight, size, true, weightRows(layer, { first, columns }, l));
    const biases = rowsOf(l.stored(bias), { first, count: dim(columns), length: 1 }).place;
    multiply({ left: l.stored(x), packed, bias: biases, size }, { out: { place, type: "float32" } }, l);
    yield { place, first, columns };
  }
}

/** Where the gradient of logits goes, and what becomes of it. */
export interface GradientTarget {
  readonly dlogits: Stored;
  /** Takes a block of it into the gradients that follow from it. */
  take(block: LogitsBlock): void;
}

/** The tensor itself, or for logits in blocks the gradients of the layer's input, weight and bias. */
export function gradientTarget(node: NodeOf<"softmaxCrossEntropyGradient">, l: Lowering): GradientTarget {
  const layer = fusedLayer(node.inputs.logits, l);
  if (layer === undefined) return { dlogits: l.write(node.outputs[0], l.activationType), take: () => {} };
  const dlogits = { place: scratchBlock(layer, l.activationType, l), type: l.activationType };
  const followers = l.takenBy(node).map((follower) => followerOf(follower, layer, dlogits, l));
  return {
    dlogits,
    take(block) {
      for (const follow of followers) follow(block);
    },
  };
}

/** What computes the gradient of a layer's input, weight or bias, from one block after another of that of its result. */
function followerOf(node: AnyNode, layer: Layer, dlogits: Stored, l: Lowering): (block: LogitsBlock) => void {
  const { x, weight, rows, inner } = layer;
  const out = l.write(node.outputs[0], "float32");
  if (isNode(node, "sumRows")) {
    return ({ first, columns }) => {
      const partial = l.scratch(blockSums(rows, columns));
      const { place } = rowsOf(out, { first, count: dim(columns), length: 1 });
      l.call("sumRows", dlogits.place, typeNumber(dlogits.type), dim(rows), dim(columns), partial, place);
    };
  }
  if (isNode(node, "matmul") && node.attributes.transposeA) {
    const packed = l.packed(x, { inner: rows, columns: inner }, false);
    return ({ first, columns }) => {
      const size = { rows: columns, columns: inner, inner: rows };
      const part = rowsOf(out, { first, count: dim(columns), length: inner });
      multiply({ left: dlogits, transposeLeft: true, packed, size }, { out: part }, l);
    };
  }
  return ({ first, columns }) => {
    const size = { rows, columns: inner, inner: columns };
    const packed = l.packed(weight, size, false, weightRows(layer, { first, columns }, l));
    multiply({ left: dlogits, packed, size }, { out, addend: first > 0 ? out.place : undefined }, l);
  };
}

/** A layer whose result [rows, columns] is computed in blocks of columns. */
interface Layer {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly rows: Dim;
  readonly inner: number;
  readonly columns: number;
}

/** The layer behind logits, if a loss has taken it over. */
function fusedLayer(logits: Tensor, l: Lowering): Layer | undefined {
  const { node } = logits;
  if (!isNode(node, "linear") || !l.isTaken(node)) return undefined;
  const [columns, inner] = node.inputs.weight.shape;
  if (typeof columns !== "number" || typeof inner !== "number") return undefined; // findFusions takes no such layer
  return { ...node.inputs, rows: logits.shape[0], inner, columns };
}

function* blocksOf({ columns }: Layer): Generator<{ first: number; columns: number }> {
  for (let first = 0; first < columns; first += LOGITS_BLOCK) {
    yield { first, columns: Math.min(LOGITS_BLOCK, columns - first) };
  }
}

/** The rows of a layer's weight that make a block. */
function weightRows({ weight, inner }: Layer, { first, columns }: Omit<LogitsBlock, "place">, l: Lowering): Stored {
  return rowsOf(l.stored(weight), { first, count: dim(columns), length: inner });
}

/** Room for a block. */
function scratchBlock({ rows }: Layer, type: Type, l: Lowering): Place {
  return l.scratch((run) => quantityIn(dim(rows), run) * LOGITS_BLOCK, type);
}
