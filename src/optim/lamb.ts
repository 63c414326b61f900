import { AdamW, type SegmentStep } from "./adamw.ts";
import type { Norms, StepBuffers } from "./kernels.ts";
import type { OptimizerOptions, Segment } from "./optimizer.ts";

/**
 * LAMB, AdamW with a learning rate of its own for each tensor, for large batches (You et al. 2020,
 * https://arxiv.org/abs/1904.00962, Algorithm 2). At step t, from 1, with gradient g, for each segment:
 *
 *     m += (1 - beta1) (g - m)
 *     v += (1 - beta2) (g² - v)
 *     r  = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *     u  = r + weightDecay p
 *     p -= learningRate ‖p‖ / ‖u‖ u
 *
 * So a step moves each tensor by `learningRate` times its norm. The paper's φ, which may bound ‖p‖, is the identity, as
 * in the usual implementations. The trust ratio ‖p‖ / ‖u‖ is 1 where either norm is 0, so that zeros can be left.
 *
 * Segments without decay have the ratio 1 as well: their step is AdamW's. The algorithm makes no such exception, but
 * Google's `lamb_optimizer.py` for BERT does (what is excluded from weight decay is excluded from layer adaptation),
 * and so do TensorFlow Addons, NVIDIA's Apex and timm, unless told otherwise. The norm of a bias, which begins at zero,
 * says nothing of how far it may move.
 *
 * In float32, norms in float64, each parameter rounded once a step. Moments below 1e-30 become zero.
 */
export class Lamb extends AdamW {
  /** `epsilon` is 1e-6 by default. Limits and errors are AdamW's. */
  constructor(segments: readonly Segment[], { epsilon = 1e-6, ...options }: OptimizerOptions = {}) {
    super(segments, { epsilon, ...options });
  }

  protected override async stepSegments(buffers: StepBuffers, steps: readonly SegmentStep[]): Promise<void> {
    const adapted = steps.filter(({ segment }) => segment.decay);
    const others = steps.filter(({ segment }) => !segment.decay);
    await super.stepSegments(buffers, others);
    // u is AdamW's change at a rate of 1. The second pass computes it again; to keep it would take a third flat buffer.
    const units = adapted.map((step) => step.at(1));
    const ratios = (await this.kernels.measure(buffers, units)).map(trustRatio);
    const parts = adapted.map((step, i) => step.at(step.learningRate * ratios[i]));
    await this.kernels.change(buffers, parts);
  }
}

function trustRatio({ parameters, changes }: Norms): number {
  return parameters === 0 || changes === 0 ? 1 : parameters / changes;
}
