import { isNode, type NodeOf, type OpName, type Tensor } from "../../graph/operations.ts";
import { lowerAttention, lowerAttentionGradient } from "./attention.ts";
import { rowAddition } from "./fusion.ts";
import { LOSS_RULES } from "./loss.ts";
import { blockSums, count, dim, type Lowering, type Rule, seedOf, typeNumber } from "./lowering.ts";
import type { Place } from "./plan.ts";
import { ACTIVATION_NUMBERS, lowerProduct } from "./product.ts";

/** One row an operation. */
const RULES: { readonly [K in OpName]: Rule<K> } = {
  input: () => {}, // lies where the run brings it
  parameter: () => {}, // lies in the flat buffer
  constant: ({ attributes, outputs: [y] }, l) => l.call("fill", l.write(y).place, 1, attributes.value),

  positions: ({ inputs: { lengths }, outputs: [y] }, l) =>
    l.call("positions", l.read(lengths), dim(lengths.shape[0]), l.write(y).place),
  starts: ({ inputs: { lengths }, outputs: [y] }, l) =>
    l.call("starts", l.read(lengths), dim(lengths.shape[0]), l.write(y).place),

  gather: ({ inputs: { source, indices }, outputs: [y] }, l) => {
    const from = l.stored(source);
    const to = l.write(y);
    const [rows, columns] = y.shape;
    const types = [typeNumber(from.type), typeNumber(to.type)];
    l.call("gather", from.place, types[0], l.read(indices), to.place, types[1], dim(rows), dim(columns));
  },
  scatterAdd: (node, l) => {
    const to = l.write(node.outputs[0], "float32").place;
    l.call("fill", to, count(node.outputs[0].shape), 0);
    addRows(node, to, l);
  },

  add: lowerAdd,
  linear: (node, l) => lowerProduct(node, { out: l.write(node.outputs[0]) }, l),
  matmul: (node, l) => lowerProduct(node, { out: l.write(node.outputs[0]) }, l),
  sumRows: ({ inputs: { x }, outputs: [y] }, l) => {
    const from = l.stored(x);
    const [rows, columns] = x.shape;
    const partial = l.scratch(blockSums(rows, columns));
    const sizes = [typeNumber(from.type), dim(rows), dim(columns)];
    l.call("sumRows", from.place, ...sizes, partial, l.write(y, "float32").place);
  },

  activation: (node, l) => {
    const {
      inputs: { x },
      attributes: { kind },
      outputs: [y],
    } = node;
    const product = l.fused(x);
    const out = l.write(y, l.activationType);
    if (product !== undefined) {
      const before = l.isRead(x, node) ? l.write(x, out.type).place : undefined;
      return lowerProduct(product, { out, before, activation: kind }, l);
    }
    const { place, type } = out;
    l.call("activation", l.read(x, type), place, typeNumber(type), count(y.shape), ACTIVATION_NUMBERS[kind]);
  },
  activationGradient: ({ inputs: { dy, x }, attributes: { kind }, outputs: [dx] }, l) => {
    const product = l.fused(dy);
    const out = l.write(dx, l.activationType);
    const { place, type } = out;
    const slopeAt = l.read(x, type);
    if (product !== undefined) return lowerProduct(product, { out, activation: kind, slopeAt }, l);
    const args = [typeNumber(type), count(dx.shape), ACTIVATION_NUMBERS[kind]];
    l.call("activationGradient", l.read(dy, type), slopeAt, place, ...args);
  },

  layerNorm: (node, l) => {
    const { x, weight, bias } = node.inputs;
    const [rows, columns] = x.shape.map(dim);
    const { place, type } = l.write(node.outputs[0], l.activationType);
    const means = l.scratch(rows);
    const scales = l.scratch(rows);
    l.keep(node, { means, scales });
    const factors = [l.read(weight, "float32"), l.read(bias, "float32"), node.attributes.epsilon];
    l.call("layerNorm", l.read(x, type), place, typeNumber(type), rows, columns, ...factors, means, scales);
  },
  layerNormGradient: ({ inputs: { dy, x, weight }, attributes: { forward }, outputs }, l) => {
    const [rows, columns] = x.shape.map(dim);
    const type = l.activationType;
    const partial = l.scratch(blockSums(x.shape[0], x.shape[1], 2));
    const kept = [l.kept(forward, "means"), l.kept(forward, "scales"), partial];
    const types = [type, "float32", "float32"] as const; // of dx, dweight, dbias
    const results = outputs.map((output, i) => (l.isRead(output) ? l.write(output, types[i]).place : null));
    const sources = [l.read(dy, type), l.read(x, type), typeNumber(type), rows, columns, l.read(weight, "float32")];
    l.call("layerNormGradient", ...sources, ...kept, ...results);
  },

  dropout: (node, l) => lowerDropout(node.inputs.x, node.outputs[0], node, l),
  dropoutGradient: ({ inputs: { dy }, attributes: { forward }, outputs: [dx] }, l) => lowerDropout(dy, dx, forward, l),

  attention: lowerAttention,
  attentionGradient: lowerAttentionGradient,

  ...LOSS_RULES,
};

/** Adds the calls of one node. */
export function lower<K extends OpName>(node: NodeOf<K>, lowering: Lowering): void {
  const rule: Rule<K> = RULES[node.op];
  rule(node, lowering);
}

/** Both ways alike: the factors are a function of the seed, the site and the place. */
function lowerDropout(from: Tensor, to: NodeOf<"dropout">["outputs"][number], forward: NodeOf<"dropout">, l: Lowering) {
  const { place, type } = l.write(to, l.activationType);
  const mask = [seedOf, l.site(forward), forward.attributes.rate];
  l.call("dropout", l.read(from, type), place, typeNumber(type), count(to.shape), ...mask);
}

function addRows({ inputs: { indices, updates } }: NodeOf<"scatterAdd">, to: Place, l: Lowering): void {
  const { place, type } = l.stored(updates);
  l.call("scatterAdd", l.read(indices), place, typeNumber(type), to, ...updates.shape.map(dim));
}

/** A sum, or a product that is finished by adding the other side, dropout between them or not, or rows added to one. */
function lowerAdd(node: NodeOf<"add">, l: Lowering): void {
  const {
    inputs: { a, b },
    outputs: [y],
  } = node;
  const addition = rowAddition(node);
  if (addition !== undefined && l.takenBy(node).includes(addition.rows)) {
    addRows(addition.rows, l.writeOver(y, addition.base).place, l);
    return;
  }
  const out = l.write(y);
  const { place, type } = out;
  const [term, other] = l.fused(b) === undefined ? [a, b] : [b, a];
  const product = l.fused(term);
  if (product === undefined) {
    l.call("add", l.read(a, type), l.read(b, type), place, typeNumber(type), count(y.shape));
  } else {
    const dropout = isNode(term.node, "dropout") ? term.node : undefined;
    lowerProduct(product, { out, dropout, addend: l.read(other, type) }, l);
  }
}
