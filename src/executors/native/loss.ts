import type { OpName } from "../../graph/operations.ts";
import { count, dim, type Rule, typeNumber } from "./lowering.ts";
import { type Quantity, quantityIn } from "./plan.ts";

type LossName = Extract<OpName, `${string}CrossEntropy${string}` | `squaredError${string}` | "accuracy">;

/** Losses read floats, whatever activations are stored as. */
export const LOSS_RULES: { readonly [K in LossName]: Rule<K> } = {
  softmaxCrossEntropy: (node, l) => {
    const { logits, labels, weights } = node.inputs;
    const [rows, columns] = logits.shape.map(dim);
    const normalisers = l.scratch(pairs(rows)); // [R, 2]
    l.keep(node, { normalisers });
    const sources = [l.read(logits, "float32"), l.read(labels), l.read(weights, "float32"), rows, columns];
    l.call("softmaxCrossEntropy", ...sources, normalisers, l.scratch(rows), l.write(node.outputs[0], "float32").place);
  },
  softmaxCrossEntropyGradient: ({ inputs, attributes: { forward }, outputs: [dlogits] }, l) => {
    const { dy, logits, labels, weights } = inputs;
    const sources = [l.read(dy, "float32"), l.read(logits, "float32"), l.read(labels), l.read(weights, "float32")];
    const kept = l.kept(forward, "normalisers");
    const out = l.write(dlogits, l.activationType);
    l.call("softmaxCrossEntropyGradient", ...sources, ...logits.shape.map(dim), kept, out.place, typeNumber(out.type));
  },

  accuracy: ({ inputs: { logits, labels, weights }, outputs: [y] }, l) => {
    const [rows, columns] = logits.shape.map(dim);
    const sources = [l.read(logits, "float32"), l.read(labels), l.read(weights, "float32"), rows, columns];
    l.call("accuracy", ...sources, l.scratch(rows), l.write(y, "float32").place);
  },

  segmentCrossEntropy: (node, l) => {
    const { logits, lengths, labels, weights } = node.inputs;
    const sources = [l.read(logits, "float32"), l.read(lengths), l.read(labels), l.read(weights, "float32")];
    const normalisers = l.scratch(pairs(count(labels.shape))); // [G, C, 2]
    l.keep(node, { normalisers });
    const out = l.write(node.outputs[0], "float32").place;
    l.call("segmentCrossEntropy", ...sources, ...labels.shape.map(dim), normalisers, out);
  },
  segmentCrossEntropyGradient: ({ inputs, attributes: { forward }, outputs: [dlogits] }, l) => {
    const { dy, logits, lengths, labels, weights } = inputs;
    const sources = [
      ...[l.read(dy, "float32"), l.read(logits, "float32")],
      ...[l.read(lengths), l.read(labels), l.read(weights, "float32")],
    ];
    const kept = l.kept(forward, "normalisers");
    const out = l.write(dlogits, "float32").place;
    l.call("segmentCrossEntropyGradient", ...sources, ...labels.shape.map(dim), kept, out);
  },

  sigmoidCrossEntropy: ({ inputs: { logits, targets, weights }, outputs: [y] }, l) => {
    const sources = [logits, targets, weights].map((tensor) => l.read(tensor, "float32"));
    l.call("sigmoidCrossEntropy", ...sources, count(logits.shape), l.write(y, "float32").place);
  },
  sigmoidCrossEntropyGradient: ({ inputs: { dy, logits, targets, weights }, outputs: [dlogits] }, l) => {
    const sources = [dy, logits, targets, weights].map((tensor) => l.read(tensor, "float32"));
    l.call("sigmoidCrossEntropyGradient", ...sources, count(logits.shape), l.write(dlogits, "float32").place);
  },

  squaredError: ({ inputs: { predictions, targets, weights }, outputs: [y] }, l) => {
    const sources = [predictions, targets, weights].map((tensor) => l.read(tensor, "float32"));
    l.call("squaredError", ...sources, count(targets.shape), l.write(y, "float32").place);
  },
  squaredErrorGradient: ({ inputs: { dy, predictions, targets, weights }, outputs: [dpredictions] }, l) => {
    const sources = [dy, predictions, targets, weights].map((tensor) => l.read(tensor, "float32"));
    l.call("squaredErrorGradient", ...sources, count(targets.shape), l.write(dpredictions, "float32").place);
  },
};

/** Room for the two numbers that a softmax is made with: its highest logit, and one over the sum. */
function pairs(size: Quantity): Quantity {
  return (run) => 2 * quantityIn(size, run);
}
