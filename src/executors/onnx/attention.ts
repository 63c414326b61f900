import type { AnyTensor, NodeOf } from "../../graph/operations.ts";
import { ELEMENT } from "./builder.ts";
import type { Lowering } from "./lowering.ts";

/** Index tensors between the tokens of a batch, one after another, and a padded [B, S] grid of them. */
interface SequenceLayout {
  /** Index of each sequence's first token, int64 [B]. */
  readonly starts: string;
  /** Place of each token in its sequence, int64 [T]. */
  readonly positions: string;
  /** Token of each grid cell, token 0 in the padding, int64 [B, S]. */
  readonly tokenOfCell: string;
  /** Cell of each token, int64 [T]. */
  readonly cellOfToken: string;
  /** 0, or a number that softmax turns into nothing, float [B, 1, 1, S]. */
  readonly bias: string;
  /** 1, or 0 in the padding, float [B, S, 1]. */
  readonly present: string;
}

/** Far below any logit, yet finite. */
const NEVER = -1e9;

/** Computed once a run and shared by every layer. */
export function sequenceLayout(lengths: AnyTensor, { onnx, name, shared }: Lowering): SequenceLayout {
  return shared(lengths, () => {
    const int64 = (x: string) => onnx.node("Cast", [x], { attributes: { to: ELEMENT.int64 } });
    const unsqueeze = (x: string, ...axes: number[]) => onnx.node("Unsqueeze", [x, onnx.int(axes)]);
    const length = int64(name(lengths)); // [B]
    const longest = onnx.node("ReduceMax", [length, onnx.int([0])], { attributes: { keepdims: 0 } }); // []
    const place = onnx.node("Range", [onnx.int(0), longest, onnx.int(1)]); // [S]
    const inside = onnx.node("Less", [place, unsqueeze(length, 1)]); // bool [B, S]
    const starts = onnx.node("CumSum", [length, onnx.int(0)], { attributes: { exclusive: 1 } }); // [B]
    const token = onnx.node("Add", [unsqueeze(starts, 1), place]); // [B, S]
    const [row, column] = onnx.nodes("Split", [onnx.node("NonZero", [inside])], {
      attributes: { axis: 0, num_outputs: 2 },
      outputs: 2,
    }); // [1, T] each
    const squeeze = (x: string) => onnx.node("Squeeze", [x, onnx.int([0])]); // [T]
    const positions = squeeze(column!);
    return {
      starts,
      positions,
      tokenOfCell: onnx.node("Where", [inside, token, onnx.int(0)]),
      cellOfToken: onnx.node("Add", [onnx.node("Mul", [squeeze(row!), longest]), positions]),
      bias: unsqueeze(onnx.node("Where", [inside, onnx.float(0), onnx.float(NEVER)]), 1, 2),
      present: unsqueeze(onnx.node("Cast", [inside], { attributes: { to: ELEMENT.float32 } }), 2),
    };
  });
}

/** Padded for the products of attention only: tokens [T, D] into heads [B, N, S, H], and back. */
function headLayout(width: number, heads: number, lengths: AnyTensor, lowering: Lowering) {
  const { onnx } = lowering;
  const layout = sequenceLayout(lengths, lowering);
  const swap = (x: string) => onnx.node("Transpose", [x], { attributes: { perm: [0, 2, 1, 3] } });
  const toCells = (x: string) => onnx.node("Gather", [x, layout.tokenOfCell], { attributes: { axis: 0 } }); // [B, S, D]
  const toHeads = (x: string) => swap(onnx.node("Reshape", [x, onnx.int([0, 0, heads, width / heads])])); // [B, N, S, H]
  return {
    ...layout,
    split: (x: string) => toHeads(toCells(x)),
    /** As split, with zeros in the padding. */
    splitPresent: (x: string) => toHeads(onnx.node("Mul", [toCells(x), layout.present])),
    merge: (x: string) => {
      const cells = onnx.node("Reshape", [swap(x), onnx.int([-1, width])]); // [B * S, D]
      return onnx.node("Gather", [cells, layout.cellOfToken], { attributes: { axis: 0 } }); // [T, D]
    },
  };
}

export function lowerAttention(node: NodeOf<"attention">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const { inputs, attributes } = node;
  const width = Number(inputs.query.shape[1]);
  const { split, merge, bias } = headLayout(width, attributes.heads, inputs.lengths, lowering);
  const q = split(name(inputs.query)); // [B, N, S, H]
  const k = split(name(inputs.key)); // [B, N, S, H]
  const v = split(name(inputs.value)); // [B, N, S, H]
  const logits = onnx.matmul(q, k, { transposeB: true, alpha: 1 / Math.sqrt(width / attributes.heads) }); // [B, N, S, S]
  const p = onnx.node("Softmax", [onnx.node("Add", [logits, bias])], { attributes: { axis: -1 } }); // [B, N, S, S]
  const dropped = attributes.dropout > 0 ? onnx.node("Mul", [p, lowering.mask(node)]) : p;
  lowering.keep(node, { q, k, v, p, dropped });
  return merge(onnx.matmul(dropped, v)); // [T, D]
}

/** With P the probabilities: dV = Pᵀ dY, dP = dY Vᵀ, dlogits = P (dP - Σ dP P), dQ = dlogits K, dK = dlogitsᵀ Q. */
export function lowerAttentionGradient(node: NodeOf<"attentionGradient">, lowering: Lowering): string[] {
  const { onnx, name, kept } = lowering;
  const { inputs, attributes } = node;
  const { heads, dropout, forward } = attributes;
  const width = Number(inputs.query.shape[1]);
  const { splitPresent, merge } = headLayout(width, heads, inputs.lengths, lowering);
  const alpha = 1 / Math.sqrt(width / heads);
  const p = kept(forward, "p");
  const dy = splitPresent(name(inputs.dy)); // [B, N, S, H]
  const dv = onnx.matmul(kept(forward, "dropped"), dy, { transposeA: true }); // [B, N, S, H]
  const dDropped = onnx.matmul(dy, kept(forward, "v"), { transposeB: true }); // [B, N, S, S]
  const dp = dropout > 0 ? onnx.node("Mul", [dDropped, lowering.mask(forward)]) : dDropped;
  const weighted = onnx.node("Mul", [dp, p]);
  const total = onnx.node("ReduceSum", [weighted, onnx.int([-1])], { attributes: { keepdims: 1 } }); // [B, N, S, 1]
  const dlogits = onnx.node("Sub", [weighted, onnx.node("Mul", [p, total])]); // [B, N, S, S]
  const dq = onnx.matmul(dlogits, kept(forward, "k"), { alpha }); // [B, N, S, H]
  const dk = onnx.matmul(dlogits, kept(forward, "q"), { transposeA: true, alpha }); // [B, N, S, H]
  return [merge(dq), merge(dk), merge(dv)]; // [T, D] each
}
