import { input, repeat } from "../graph/build.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import type { AnyTensor, Tensor } from "../graph/operations.ts";

/** What a model's loss is called as an output, and its logits as an input. */
export const LOSS_OF_LOGITS = { input: "logits", output: "loss" } as const;

/**
 * The loss of a head as a graph of its own, in which the logits are given: a few operations without the model behind them,
 * for logits that have been computed already. Its other inputs are those of the whole loss.
 */
export function lossOfLogits({ logits, loss }: { readonly logits: Tensor; readonly loss: Tensor }): Graph {
  const given = input(LOSS_OF_LOGITS.input, "float32", logits.shape);
  return makeGraph({ [LOSS_OF_LOGITS.output]: replaced(loss, logits, given) });
}

/** A tensor as it is made where `by` stands in the place of `of`. */
function replaced(tensor: AnyTensor, of: AnyTensor, by: AnyTensor): AnyTensor {
  if (tensor === of) return by;
  const { node } = tensor;
  const inputs = Object.entries<AnyTensor>(node.inputs);
  const others = inputs.map(([name, value]) => [name, replaced(value, of, by)] as const);
  if (inputs.every(([, value], i) => value === others[i][1])) return tensor;
  return repeat(node, Object.fromEntries(others)).outputs[tensor.output];
}
