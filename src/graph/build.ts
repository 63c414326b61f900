import type {
  ActivationKind,
  AnyTensor,
  AttributesOf,
  Initial,
  InputsOf,
  NodeOf,
  OpName,
  Tensor,
} from "./operations.ts";
import type { Dtype, Shape } from "./shape.ts";
import { outputShapes } from "./shape-rules.ts";

let made = 0;

/** A node with its output tensors: the one place where nodes are made and shapes are checked. */
function makeNode<K extends OpName, D extends Dtype>(
  op: K,
  dtype: D,
  inputs: InputsOf<K>,
  attributes: AttributesOf<K>,
): { readonly outputs: readonly Tensor<D>[]; readonly node: NodeOf<K> } {
  const outputs: Tensor<D>[] = [];
  const node: NodeOf<K> = { op, inputs, attributes, outputs, serial: made++ };
  for (const shape of outputShapes(op, inputs, attributes)) {
    outputs.push({ node, output: outputs.length, dtype, shape });
  }
  return { outputs, node };
}

/** A node that does the work of another again, from inputs that may be made again too: those of the given names. */
export function repeat<K extends OpName>(node: NodeOf<K>, inputs: Readonly<Record<string, AnyTensor>>): NodeOf<K> {
  const outputs: AnyTensor[] = [];
  const copy = { ...node, inputs: { ...node.inputs, ...inputs }, outputs, serial: made++, repeats: node };
  for (const { dtype, output, shape } of node.outputs) outputs.push({ node: copy, output, dtype, shape });
  return copy;
}

/** Most operations have one float output. */
function make<K extends OpName>(op: K, inputs: InputsOf<K>, attributes: AttributesOf<K>): Tensor {
  return makeNode(op, "float32", inputs, attributes).outputs[0];
}

/** A value that every run is given under this name. */
export function input<D extends Dtype>(name: string, dtype: D, shape: Shape): Tensor<D> {
  return makeNode("input", dtype, {}, { name, dtype, shape }).outputs[0];
}

/** A weight, known by its Hugging Face name. */
export function parameter(name: string, shape: readonly number[], initial: Initial): Tensor {
  return make("parameter", {}, { name, shape, initial });
}

export function constant(value: number): Tensor {
  return make("constant", {}, { value });
}

/** Place of each token in its own sequence: [B] -> [T]. */
export function positions(lengths: Tensor<"int32">): Tensor<"int32"> {
  return makeNode("positions", "int32", { lengths }, {}).outputs[0];
}

/** Index of each sequence's first token among all tokens: [B] -> [B]. */
export function starts(lengths: Tensor<"int32">): Tensor<"int32"> {
  return makeNode("starts", "int32", { lengths }, {}).outputs[0];
}

/** Rows of a matrix by index: [R, C] and [I] -> [I, C]. */
export function gather(source: Tensor, indices: Tensor<"int32">): Tensor {
  return make("gather", { source, indices }, {});
}

/** Adds each row of updates [I, C] to the row that its index names, in zeros shaped like `like` [R, C]. */
export function scatterAdd(indices: Tensor<"int32">, updates: Tensor, like: Tensor): Tensor {
  return make("scatterAdd", { indices, updates, like }, {});
}

export function add(a: Tensor, b: Tensor): Tensor {
  return make("add", { a, b }, {});
}

/** x · weightᵀ + bias: [R, I], [O, I] and [O] -> [R, O]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return make("linear", { x, weight, bias }, {});
}

/** a · b, either one transposed first: [R, I] and [I, C] -> [R, C]. */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false } = {}): Tensor {
  return make("matmul", { a, b }, { transposeA, transposeB });
}

/** [R, C] -> [C]. */
export function sumRows(x: Tensor): Tensor {
  return make("sumRows", { x }, {});
}

export function activation(x: Tensor, kind: ActivationKind): Tensor {
  return make("activation", { x }, { kind });
}

export function activationGradient(dy: Tensor, forward: NodeOf<"activation">): Tensor {
  return make("activationGradient", { dy, x: forward.inputs.x }, { kind: forward.attributes.kind, forward });
}

/** Ba et al. 2016, over the last dimension of [R, C]. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  return make("layerNorm", { x, weight, bias }, { epsilon });
}

export function layerNormGradient(
  dy: Tensor,
  forward: NodeOf<"layerNorm">,
): { dx: Tensor; dweight: Tensor; dbias: Tensor } {
  const { x, weight } = forward.inputs;
  const attributes = { epsilon: forward.attributes.epsilon, forward };
  const { outputs } = makeNode("layerNormGradient", "float32", { dy, x, weight }, attributes);
  return { dx: outputs[0], dweight: outputs[1], dbias: outputs[2] };
}

/** A rate of 0 adds no node, so a model without dropout is the same code with its rates set to 0. */
export function dropout(x: Tensor, rate: number): Tensor {
  return rate === 0 ? x : make("dropout", { x }, { rate });
}

export function dropoutGradient(dy: Tensor, forward: NodeOf<"dropout">): Tensor {
  return make("dropoutGradient", { dy }, { forward });
}

/** Multi-head attention inside each sequence; query, key and value [T, D], lengths [B] -> [T, D]. */
export function attention(
  inputs: InputsOf<"attention">,
  { heads, dropout = 0 }: { heads: number; dropout?: number },
): Tensor {
  return make("attention", inputs, { heads, dropout });
}

export function attentionGradient(
  dy: Tensor,
  forward: NodeOf<"attention">,
): { dquery: Tensor; dkey: Tensor; dvalue: Tensor } {
  const attributes = { ...forward.attributes, forward };
  const { outputs } = makeNode("attentionGradient", "float32", { dy, ...forward.inputs }, attributes);
  return { dquery: outputs[0], dkey: outputs[1], dvalue: outputs[2] };
}

/** Sum over the rows of weight × cross-entropy: logits [R, K], labels [R] and weights [R] -> []. */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor<"int32">, weights: Tensor): Tensor {
  return make("softmaxCrossEntropy", { logits, labels, weights }, {});
}

/** Sum of the weights of the rows whose label has the highest logit: logits [R, K], labels [R] and weights [R] -> []. */
export function accuracy(logits: Tensor, labels: Tensor<"int32">, weights: Tensor): Tensor {
  return make("accuracy", { logits, labels, weights }, {});
}

export function softmaxCrossEntropyGradient(dy: Tensor, forward: NodeOf<"softmaxCrossEntropy">): Tensor {
  return make("softmaxCrossEntropyGradient", { dy, ...forward.inputs }, { forward });
}

/** Sum over groups of rows of weight × cross-entropy: logits [R, C], lengths [G], labels [G, C] and weights [G] -> []. */
export function segmentCrossEntropy(
  logits: Tensor,
  lengths: Tensor<"int32">,
  labels: Tensor<"int32">,
  weights: Tensor,
): Tensor {
  return make("segmentCrossEntropy", { logits, lengths, labels, weights }, {});
}

export function segmentCrossEntropyGradient(dy: Tensor, forward: NodeOf<"segmentCrossEntropy">): Tensor {
  return make("segmentCrossEntropyGradient", { dy, ...forward.inputs }, { forward });
}

/** Sum over all logits of weight × binary cross-entropy: logits, targets and weights [R, K] -> []. */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor, weights: Tensor): Tensor {
  return make("sigmoidCrossEntropy", { logits, targets, weights }, {});
}

export function sigmoidCrossEntropyGradient(dy: Tensor, forward: NodeOf<"sigmoidCrossEntropy">): Tensor {
  return make("sigmoidCrossEntropyGradient", { dy, ...forward.inputs }, { forward });
}

/** Sum over the rows of weight × squared error: predictions [R, 1], targets [R] and weights [R] -> []. */
export function squaredError(predictions: Tensor, targets: Tensor, weights: Tensor): Tensor {
  return make("squaredError", { predictions, targets, weights }, {});
}

export function squaredErrorGradient(dy: Tensor, forward: NodeOf<"squaredError">): Tensor {
  return make("squaredErrorGradient", { dy, ...forward.inputs }, { forward });
}
