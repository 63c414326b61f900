import type { BertConfig } from "./config.ts";

/** A matrix product of a forward pass, [rows, inner] · [inner, columns], and how many of its size there are. */
export interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly count: number;
}

/** How much a step has to compute. */
export interface StepSize {
  /** Tokens of each sequence. */
  readonly lengths: readonly number[];
  /** Tokens whose hidden states are asked for; default: all. */
  readonly asked?: number;
  /** Masked positions, M. */
  readonly masked: number;
}

/** The products of the linear layers: encoder and masked-LM head. Attention's own are left out, being of other shapes. */
export function linearProducts(config: BertConfig, { lengths, masked, asked }: StepSize): Product[] {
  const { hiddenSize: D, intermediateSize: F, layers: L, vocabSize: V } = config;
  const T = lengths.reduce((a, b) => a + b, 0);
  const afterAttention = (rows: number, count: number): Product[] => [
    { rows, inner: D, columns: D, count },
    { rows, inner: D, columns: F, count },
    { rows, inner: F, columns: D, count },
  ];
  return [
    { rows: T, inner: D, columns: D, count: 3 * L },
    ...afterAttention(T, L - 1),
    ...afterAttention(asked ?? T, 1),
    { rows: masked, inner: D, columns: D, count: 1 },
    { rows: masked, inner: D, columns: V, count: 1 },
  ];
}

/** Floating-point operations of all products of a forward pass: two a multiply-add. */
export function forwardFlop(config: BertConfig, size: StepSize): number {
  const linear = linearProducts(config, size).map(({ rows, inner, columns, count }) => rows * inner * columns * count);
  const pairs = size.lengths.reduce((sum, length) => sum + length * length, 0);
  const attention = 2 * config.layers * config.hiddenSize * pairs;
  return 2 * linear.reduce((a, b) => a + b, attention);
}

/** The same of a training step, whose backward pass counts as two forward passes. */
export function trainingFlop(config: BertConfig, size: StepSize): number {
  return 3 * forwardFlop(config, size);
}
