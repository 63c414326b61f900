import { MAX_PARAMETERS, type StepBuffers, type StepFactors, type StepKernels, wasmKernels } from "./kernels.ts";
import {
  lengthOf,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  requireLength,
  type Segment,
  type StepOptions,
} from "./optimizer.ts";
import { requireOption } from "./options.ts";

/**
 * Adam with decoupled weight decay (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980; Loshchilov and Hutter 2019,
 * https://arxiv.org/abs/1711.05101), with bias correction, as `torch.optim.AdamW`. At step t, from 1, with gradient g:
 *
 *     m += (1 - beta1) (g - m)
 *     v += (1 - beta2) (g² - v)
 *     p -= learningRate (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay p)
 *
 * In float32, each parameter rounded once a step. Moments below 1e-30 become zero.
 */
export class AdamW implements Optimizer {
  readonly #segments: readonly Segment[];
  readonly #options: Required<Omit<OptimizerOptions, "kernels">>;
  protected readonly kernels: StepKernels;
  #step = 0;

  /**
   * For at most 536,854,524 parameters (MAX_PARAMETERS); `epsilon` is 1e-8 by default.
   * Throws OPTIMIZER_LENGTH, OPTION_INVALID.
   */
  constructor(segments: readonly Segment[], options: OptimizerOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, kernels = wasmKernels } = options;
    requireOption(beta1 >= 0 && beta1 < 1, "beta1", beta1, "at least 0 and less than 1");
    requireOption(beta2 >= 0 && beta2 < 1, "beta2", beta2, "at least 0 and less than 1");
    requireOption(epsilon >= 1e-12, "epsilon", epsilon, "at least 1e-12");
    requireOption(weightDecay >= 0, "weightDecay", weightDecay, "at least 0");
    const length = lengthOf(segments);
    requireOption(length <= MAX_PARAMETERS, "the number of parameters", length, `at most ${MAX_PARAMETERS}`);
    this.#segments = segments;
    this.#options = { beta1, beta2, epsilon, weightDecay };
    this.kernels = kernels(length);
  }

  get state(): OptimizerState {
    const { m, v } = this.kernels;
    return { step: this.#step, m, v };
  }

  /** Throws OPTIMIZER_LENGTH, OPTION_INVALID. */
  restore({ step, m, v }: OptimizerState): void {
    requireOption(Number.isSafeInteger(step) && step >= 0, "the state's step", step, "a whole number, at least 0");
    requireLength("the state's m", m.length, this.kernels.m.length);
    requireLength("the state's v", v.length, this.kernels.v.length);
    this.#step = step;
    this.kernels.m.set(m);
    this.kernels.v.set(v);
  }

  norm(gradients: Float32Array): number {
    return Math.sqrt(this.kernels.sumOfSquares(gradients));
  }

  /** Throws OPTIMIZER_LENGTH, OPTION_INVALID; parameters and state are then unchanged. */
  step(parameters: Float32Array, gradients: Float32Array, { learningRate, gradientScale = 1 }: StepOptions): void {
    requireOption(learningRate >= 0 && learningRate < Infinity, "learningRate", learningRate, "finite, at least 0");
    requireOption(Number.isFinite(gradientScale), "gradientScale", gradientScale, "finite");
    requireLength("the number of parameters", parameters.length, this.kernels.m.length);
    requireLength("the number of gradients", gradients.length, this.kernels.m.length);
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.#step++;
    const correction1 = 1 - beta1 ** this.#step;
    const correction2 = 1 - beta2 ** this.#step;
    const buffers = { parameters, gradients };
    for (const segment of this.#segments) {
      const { rate: multiple = 1 } = segment;
      if (multiple === 0) continue;
      this.stepSegment(segment, buffers, learningRate * multiple, (rate) => ({
        gradientScale,
        rate1: 1 - beta1,
        rate2: 1 - beta2,
        rootScale: 1 / Math.sqrt(correction2),
        epsilon,
        stepSize: rate / correction1,
        decay: segment.decay ? rate * weightDecay : 0,
      }));
    }
  }

  /** Makes the step of one segment. `factorsAt` gives its factors at any rate: LAMB has one for each segment. */
  protected stepSegment(
    segment: Segment,
    buffers: StepBuffers,
    learningRate: number,
    factorsAt: (learningRate: number) => StepFactors,
  ): void {
    this.kernels.adamw(buffers, segment, factorsAt(learningRate));
  }
}
