import type { Dtype, Shape } from "./shape.ts";

export type ActivationKind = "gelu" | "gelu_new" | "relu" | "silu" | "tanh";

/** How a parameter gets its first value: normal is truncated at two standard deviations. */
export type Initial = "normal" | "ones" | "zeros";

/**
 * The operation table: what BERT and its gradients are made of, and nothing else. Each row gives the operation's inputs
 * and attributes; every other table of the project (shapes, gradients, lowerings) is total over these names, so a new
 * row here makes the compiler list the rules it still lacks.
 *
 * A gradient operation carries `forward`, the node whose gradient it is, so that an executor may keep whatever suits it
 * (a mask, row statistics, probabilities) between the two.
 */
export interface Operations {
  /** A value that every run is given. */
  input: Op<Record<never, never>, { name: string; dtype: Dtype; shape: Shape }>;
  /** A weight, known by its Hugging Face name. */
  parameter: Op<Record<never, never>, { name: string; shape: readonly number[]; initial: Initial }>;
  /** A scalar. */
  constant: Op<Record<never, never>, { value: number }>;

  /** Place of each token in its own sequence: lengths [B] -> [T]. */
  positions: Op<{ lengths: Tensor<"int32"> }>;
  /** Index of each sequence's first token among all tokens: lengths [B] -> [B]. */
  starts: Op<{ lengths: Tensor<"int32"> }>;

  /** Rows of a matrix by index: an embedding look-up, or a choice of tokens. */
  gather: Op<{ source: Tensor; indices: Tensor<"int32"> }>;
  /** Adds each row of updates to the row that its index names, in a matrix of zeros shaped like `like`. */
  scatterAdd: Op<{ indices: Tensor<"int32">; updates: Tensor; like: Tensor }>;

  add: Op<{ a: Tensor; b: Tensor }>;
  /** x · weightᵀ + bias, with the weight stored [out, in]. */
  linear: Op<{ x: Tensor; weight: Tensor; bias: Tensor }>;
  /** a · b, either one transposed first. */
  matmul: Op<{ a: Tensor; b: Tensor }, { transposeA: boolean; transposeB: boolean }>;
  sumRows: Op<{ x: Tensor }>;

  activation: Op<{ x: Tensor }, { kind: ActivationKind }>;
  activationGradient: Op<{ dy: Tensor; x: Tensor }, { kind: ActivationKind; forward: NodeOf<"activation"> }>;

  /** Ba et al. 2016, over the last dimension. */
  layerNorm: Op<{ x: Tensor; weight: Tensor; bias: Tensor }, { epsilon: number }>;
  /** Outputs dx, dweight, dbias. */
  layerNormGradient: Op<{ dy: Tensor; x: Tensor; weight: Tensor }, { epsilon: number; forward: NodeOf<"layerNorm"> }>;

  /** Zero with probability `rate`, else x / (1 - rate); the mask is a function of the run's seed and of the node. */
  dropout: Op<{ x: Tensor }, { rate: number }>;
  dropoutGradient: Op<{ dy: Tensor }, { forward: NodeOf<"dropout"> }>;

  /**
   * Multi-head scaled dot-product attention (Vaswani et al. 2017) inside each sequence, with dropout on the
   * probabilities: query, key and value [T, D], the tokens of all sequences one after another.
   */
  attention: Op<
    { query: Tensor; key: Tensor; value: Tensor; lengths: Tensor<"int32"> },
    { heads: number; dropout: number }
  >;
  /** Outputs dquery, dkey, dvalue. */
  attentionGradient: Op<
    { dy: Tensor; query: Tensor; key: Tensor; value: Tensor; lengths: Tensor<"int32"> },
    { heads: number; dropout: number; forward: NodeOf<"attention"> }
  >;

  /** Sum over the rows of weight × (-log softmax(logits)[label]): a mean where the weights are 1 / rows. */
  softmaxCrossEntropy: Op<{ logits: Tensor; labels: Tensor<"int32">; weights: Tensor }>;
  softmaxCrossEntropyGradient: Op<
    { dy: Tensor; logits: Tensor; labels: Tensor<"int32">; weights: Tensor },
    { forward: NodeOf<"softmaxCrossEntropy"> }
  >;

  /**
   * Cross-entropy of a choice among rows: lengths [G] cut logits [R, C] into groups of consecutive rows, in each of which
   * labels [G, C] name a row for every column. Sum over the groups of weight × Σ over the columns of
   * (-log softmax(the column's logits in the group)[label]).
   */
  segmentCrossEntropy: Op<{ logits: Tensor; lengths: Tensor<"int32">; labels: Tensor<"int32">; weights: Tensor }>;
  segmentCrossEntropyGradient: Op<
    { dy: Tensor; logits: Tensor; lengths: Tensor<"int32">; labels: Tensor<"int32">; weights: Tensor },
    { forward: NodeOf<"segmentCrossEntropy"> }
  >;

  /** Sum over all logits of weight × (-t log σ(logit) - (1 - t) log(1 - σ(logit))), t the target. */
  sigmoidCrossEntropy: Op<{ logits: Tensor; targets: Tensor; weights: Tensor }>;
  sigmoidCrossEntropyGradient: Op<
    { dy: Tensor; logits: Tensor; targets: Tensor; weights: Tensor },
    { forward: NodeOf<"sigmoidCrossEntropy"> }
  >;

  /** Sum over the rows of weight × (prediction - target)². */
  squaredError: Op<{ predictions: Tensor; targets: Tensor; weights: Tensor }>;
  squaredErrorGradient: Op<
    { dy: Tensor; predictions: Tensor; targets: Tensor; weights: Tensor },
    { forward: NodeOf<"squaredError"> }
  >;

  /** Sum of the weights of the rows whose label has the highest logit: an accuracy where the weights are 1 / rows. */
  accuracy: Op<{ logits: Tensor; labels: Tensor<"int32">; weights: Tensor }>;
}

interface Op<I, A = Record<never, never>> {
  inputs: I;
  attributes: A;
}

export type OpName = keyof Operations;
export type InputsOf<K extends OpName> = Operations[K]["inputs"];
export type AttributesOf<K extends OpName> = Operations[K]["attributes"];

/** A value that a graph will compute: one output of one node. It holds no numbers. */
export interface Tensor<D extends Dtype = "float32"> {
  readonly node: AnyNode;
  /** Which of the node's outputs this is. */
  readonly output: number;
  readonly dtype: D;
  readonly shape: Shape;
}

export type AnyTensor = Tensor<Dtype>;

/** One operation applied to tensors. */
export interface NodeOf<K extends OpName> {
  readonly op: K;
  readonly inputs: InputsOf<K>;
  readonly attributes: AttributesOf<K>;
  readonly outputs: readonly AnyTensor[];
  /** Nodes are numbered as they are made, so those that a node reads have lower numbers. */
  readonly serial: number;
  /** The node whose work this one does again, with the same dropout mask. */
  readonly repeats?: AnyNode;
}

export type AnyNode = NodeOf<OpName>;

export function isNode<K extends OpName>(node: AnyNode, op: K): node is NodeOf<K> {
  return node.op === op;
}
