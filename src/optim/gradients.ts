import { addInPlace } from "./kernels.ts";
import { requireLength } from "./optimizer.ts";
import { requireOption } from "./options.ts";

/**
 * What to multiply gradients of the given norm by so that it is at most `maxNorm` (Pascanu et al. 2013,
 * https://arxiv.org/abs/1211.5063), by the formula of `torch.nn.utils.clip_grad_norm_`: min(1, maxNorm / (norm + 1e-6)).
 * Pass it to `Optimizer.step` as `gradientScale`, which saves a pass over the gradients. Throws OPTION_INVALID.
 */
export function clipScale(norm: number, maxNorm: number): number {
  requireOption(maxNorm > 0, "maxNorm", maxNorm, "more than 0 (Infinity for no clipping)");
  return Math.min(1, maxNorm / (norm + 1e-6));
}

/** target += addition: sums the gradients of several micro-batches. Throws OPTIMIZER_LENGTH. */
export function accumulate(target: Float32Array, addition: Float32Array): void {
  requireLength("the number of gradients to add", addition.length, target.length);
  addInPlace(target, addition);
}
