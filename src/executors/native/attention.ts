import type { NodeOf } from "../../graph/operations.ts";
import { LAYOUT } from "./layout.ts";
import { dim, type Lowering, seedOf, typeNumber } from "./lowering.ts";
import { type Argument, quantityIn, type Type } from "./plan.ts";

/** Adds the call of attention, which leaves two numbers a query and head for the gradient. */
export function lowerAttention(node: NodeOf<"attention">, l: Lowering): void {
  const { query, key, value } = node.inputs;
  const type = l.activationType;
  const tokens = dim(query.shape[0]);
  const { heads } = node.attributes;
  const normalisers = l.scratch((run) => quantityIn(tokens, run) * heads * LAYOUT.normaliserFloats); // [T, N, 2]
  l.keep(node, { normalisers });
  const sources = [query, key, value].map((tensor) => l.read(tensor, type));
  l.call("attention", ...common(node, type, l), ...sources, l.write(node.outputs[0], type).place, normalisers);
}

/** Adds the call of its gradient, of those inputs that somebody reads. */
export function lowerAttentionGradient(node: NodeOf<"attentionGradient">, l: Lowering): void {
  const { dy, query, key, value } = node.inputs;
  const { forward } = node.attributes;
  const type = l.activationType;
  const sources = [dy, query, key, value].map((tensor) => l.read(tensor, type));
  const results = node.outputs.map((output) => (l.isRead(output) ? l.write(output, type).place : null));
  l.call("attentionGradient", ...common(forward, type, l), ...sources, l.kept(forward, "normalisers"), ...results);
}

/** The arguments that both directions begin with. */
function common(node: NodeOf<"attention">, type: Type, l: Lowering): Argument[] {
  const { query, lengths } = node.inputs;
  const { heads, dropout } = node.attributes;
  const sizes = [dim(lengths.shape[0]), dim("S"), ...query.shape.map(dim), heads];
  const mask = [seedOf, dropout > 0 ? l.site(node) : 0, dropout];
  return [typeNumber(type), l.read(lengths), ...sizes, ...mask];
}
