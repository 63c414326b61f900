import type { OpName, Tensor } from "../../graph/operations.ts";
import { LAYOUT } from "./layout.ts";
import { gradientTarget, logitBlocks } from "./logits.ts";
import { count, dim, type Lowering, type Rule, typeNumber } from "./lowering.ts";
import { type Place, quantityIn } from "./plan.ts";

type LossName = Extract<OpName, `${string}CrossEntropy${string}` | `squaredError${string}` | "accuracy">;

/** Losses read floats, whatever activations are stored as. */
export const LOSS_RULES: { readonly [K in LossName]: Rule<K> } = {
  softmaxCrossEntropy: ({ inputs: { logits, labels, weights }, outputs: [y] }, l) => {
    const sources = [rowSums(logits, labels, l), l.read(weights, "float32"), dim(labels.shape[0])];
    l.call("softmaxCrossEntropy", ...sources, l.write(y, "float32").place);
  },
  softmaxCrossEntropyGradient: (node, l) => {
    const { dy, logits, labels, weights } = node.inputs;
    const sums = rowSums(logits, labels, l);
    const target = gradientTarget(node, l);
    for (const block of logitBlocks(logits, l)) {
      const { place, first, columns } = block;
      const sources = [l.read(dy, "float32"), place, l.read(labels), l.read(weights, "float32")];
      const sizes = [dim(labels.shape[0]), dim(columns), first];
      const { dlogits } = target;
      l.call("softmaxCrossEntropyGradient", ...sources, ...sizes, sums, dlogits.place, typeNumber(dlogits.type));
      target.take(block);
    }
  },

  accuracy: ({ inputs: { logits, labels, weights }, outputs: [y] }, l) => {
    const sources = [rowSums(logits, labels, l), l.read(weights, "float32"), dim(labels.shape[0])];
    l.call("accuracy", ...sources, l.write(y, "float32").place);
  },

  segmentCrossEntropy: (node, l) => {
    const { logits, lengths, labels, weights } = node.inputs;
    const sources = [l.read(logits, "float32"), l.read(lengths), l.read(labels), l.read(weights, "float32")];
    const size = count(labels.shape);
    const normalisers = l.scratch((run) => LAYOUT.normaliserFloats * quantityIn(size, run)); // [G, C, 2]
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

/** What a row's loss follows from [R, 3]: its highest logit, the sum of e^(logit - highest), and its label's logit. */
function rowSums(logits: Tensor, labels: Tensor<"int32">, l: Lowering): Place {
  return l.shared(logits, labels, () => {
    const rows = dim(labels.shape[0]);
    const sums = l.scratch((run) => LAYOUT.rowSumsFloats * quantityIn(rows, run));
    for (const { place, first, columns } of logitBlocks(logits, l)) {
      l.call("softmaxSums", place, l.read(labels), rows, dim(columns), first, sums);
    }
    return sums;
  });
}
