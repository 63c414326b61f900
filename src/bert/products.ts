import type { BertConfig } from "./config.ts";

/** A matrix product of a forward pass, [rows, inner] · [inner, columns], and how many of its size there are. */
export interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly count: number;
}

/** How much a pre-training step has to compute. */
export interface StepSize {
  /** Tokens of each sequence. */
  readonly lengths: readonly number[];
  /** Masked positions, M. */
  readonly masked: number;
}

/** The products of the linear layers: encoder and masked-LM head. Attention's own are left out, being of other shapes. */
export function linearProducts(config: BertConfig, { lengths, masked }: StepSize): Product[] {
  const { hiddenSize: D, intermediateSize: F, layers: L, vocabSize: V } = config;
  const T = lengths.reduce((a, b) => a + b, 0);
  return [
    { rows: T, inner: D, columns: D, count: 4 * L },
    { rows: T, inner: D, columns: F, count: L },
    { rows: T, inner: F, columns: D, count: L },
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
