import { input } from "../graph/build.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import type { AnyNode, AnyTensor, Tensor } from "../graph/operations.ts";

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
  const entries = Object.entries<AnyTensor>(node.inputs).map(
    ([name, value]) => [name, value, replaced(value, of, by)] as const,
  );
  if (entries.every(([, before, after]) => before === after)) return tensor;
  const outputs: AnyTensor[] = [];
  const inputs = Object.fromEntries(entries.map(([name, , after]) => [name, after]));
  const other: AnyNode = { ...node, inputs, outputs };
  for (const output of node.outputs) outputs.push({ ...output, node: other });
  return outputs[tensor.output];
}
