import { Serial } from "../base/serial.ts";
import { type StepBuffers, type StepKernels, type StepPart, wasmKernels } from "./kernels.ts";
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

/** A segment's part of a step. */
export interface SegmentStep {
  readonly segment: Segment;
  readonly learningRate: number;
  /** The part at any learning rate, for LAMB, which finds one for each segment. */
  at(learningRate: number): StepPart;
}

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
  readonly #steps = new Serial();
  #step = 0;

  /** `epsilon` is 1e-8 by default. Throws OPTIMIZER_LENGTH, OPTION_INVALID and the errors of the kernels. */
  constructor(segments: readonly Segment[], options: OptimizerOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, kernels = wasmKernels } = options;
    requireOption(beta1 >= 0 && beta1 < 1, "beta1", beta1, "at least 0 and less than 1");
    requireOption(beta2 >= 0 && beta2 < 1, "beta2", beta2, "at least 0 and less than 1");
    requireOption(epsilon >= 1e-12, "epsilon", epsilon, "at least 1e-12");
    requireOption(weightDecay >= 0, "weightDecay", weightDecay, "at least 0");
    this.#segments = segments;
    this.#options = { beta1, beta2, epsilon, weightDecay };
    this.kernels = kernels(lengthOf(segments));
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

  async norm(gradients: Float32Array): Promise<number> {
    return Math.sqrt(await this.kernels.sumOfSquares(gradients));
  }

  /** Throws OPTIMIZER_LENGTH, OPTION_INVALID; parameters and state are then unchanged. */
  async step(parameters: Float32Array, gradients: Float32Array, options: StepOptions): Promise<void> {
    const { learningRate, gradientScale = 1 } = options;
    requireOption(learningRate >= 0 && learningRate < Infinity, "learningRate", learningRate, "finite, at least 0");
    requireOption(Number.isFinite(gradientScale), "gradientScale", gradientScale, "finite");
    requireLength("the number of parameters", parameters.length, this.kernels.m.length);
    requireLength("the number of gradients", gradients.length, this.kernels.m.length);
    await this.#steps.run(async () => {
      const step = this.#step + 1;
      await this.stepSegments({ parameters, gradients }, this.#segmentSteps(step, learningRate, gradientScale));
      this.#step = step;
    });
  }

  #segmentSteps(step: number, learningRate: number, gradientScale: number): SegmentStep[] {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    const moving = this.#segments.filter(({ rate }) => rate !== 0);
    return moving.map((segment) => ({
      segment,
      learningRate: learningRate * (segment.rate ?? 1),
      at: (rate) => ({
        offset: segment.offset,
        length: segment.length,
        factors: {
          gradientScale,
          rate1: 1 - beta1,
          rate2: 1 - beta2,
          rootScale: 1 / Math.sqrt(correction2),
          epsilon,
          stepSize: rate / correction1,
          decay: segment.decay ? rate * weightDecay : 0,
        },
      }),
    }));
  }

  /** Makes the step of some segments. */
  protected async stepSegments(buffers: StepBuffers, steps: readonly SegmentStep[]): Promise<void> {
    await this.kernels.adamw(
      buffers,
      steps.map((step) => step.at(step.learningRate)),
    );
  }
}
