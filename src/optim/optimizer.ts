import { ClozeError } from "../base/errors.ts";
import type { OpenKernels } from "./kernels.ts";

/** A parameter's range in the flat buffers. The segments of a model follow one another from 0 and leave no gap. */
export interface Segment {
  /** Where it begins, in elements. */
  readonly offset: number;
  /** How many elements it has. */
  readonly length: number;
  /** Whether weight decay and LAMB's trust ratio apply: in BERT to all but biases and layer normalisation. */
  readonly decay: boolean;
  /** Its learning rate as a multiple of the step's, 1 if left out; a segment at 0 stays as it is. */
  readonly rate?: number;
}

export interface OptimizerOptions {
  /** How much of the first moment a step keeps, 0.9 by default. */
  readonly beta1?: number;
  /** How much of the second moment a step keeps, 0.999 by default. */
  readonly beta2?: number;
  /** Keeps the divisor from zero; at least 1e-12. Each optimizer has a default of its own. */
  readonly epsilon?: number;
  /** Share of a parameter that decays in a step, as a multiple of the learning rate; 0.01 by default. */
  readonly weightDecay?: number;
  /** What passes over the buffers; WebAssembly by default, for at most 536,854,524 parameters. */
  readonly kernels?: OpenKernels;
}

export interface OptimizerState {
  /** Steps that have ended. */
  readonly step: number;
  /** First moments: the moving average of each element's gradient. */
  readonly m: Float32Array;
  /** Second moments: the moving average of its square. */
  readonly v: Float32Array;
}

export interface StepOptions {
  readonly learningRate: number;
  /** What every gradient is multiplied by first, 1 by default: `clipScale(...)`, over the number of micro-batches. */
  readonly gradientScale?: number;
}

/**
 * Changes a model's parameters by their gradients, each of them one flat buffer. Until a promise is settled, the buffers
 * and the state that it works on must be left alone.
 */
export interface Optimizer {
  /** The arrays are the optimizer's own: they change with the next step. */
  readonly state: OptimizerState;
  /** Takes over a copy of a saved state, from which the optimizer continues bit for bit. */
  restore(state: OptimizerState): void;
  /**
   * The Euclidean norm of all gradients together. Summed in float64, so that it neither overflows nor loses the small ones.
   * It is NaN or infinite exactly when a gradient is: a training loop should then stop before it steps.
   */
  norm(gradients: Float32Array): Promise<number>;
  /** One step, in place, when all that were asked for before it have ended; `gradients` are only read. */
  step(parameters: Float32Array, gradients: Float32Array, options: StepOptions): Promise<void>;
}

/** The number of elements that the segments cover. Throws OPTIMIZER_LENGTH where they leave a gap or overlap. */
export function lengthOf(segments: readonly Segment[]): number {
  let end = 0;
  for (const { offset, length } of segments) {
    requireLength("the offset of a segment", offset, end);
    end += length;
  }
  return end;
}

/** Throws OPTIMIZER_LENGTH. */
export function requireLength(what: string, received: number, expected: number): void {
  if (received === expected) return;
  throw new ClozeError("OPTIMIZER_LENGTH", {
    problem: `${what} does not fit the other flat buffers`,
    expected: `${expected}`,
    received: `${received}`,
    cure: "Use segments, parameters, gradients and optimizer states of one model together.",
  });
}
