import { requireOption } from "./options.ts";

/** The learning rate of a step. Steps count from 0: the first update of a run asks for `schedule(0)`. */
export type Schedule = (step: number) => number;

export interface LinearScheduleOptions {
  /** The highest rate, reached at step `warmupSteps`. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** The updates of the whole run, those of the warm-up among them. */
  readonly totalSteps: number;
}

/**
 * Linear warm-up from 0, then linear decay to 0 (section A.2 of the BERT paper, Devlin et al. 2019,
 * https://arxiv.org/abs/1810.04805), as `get_linear_schedule_with_warmup` of Hugging Face's transformers:
 *
 *     learningRate * step / warmupSteps                                    before step warmupSteps
 *     learningRate * (totalSteps - step) / (totalSteps - warmupSteps)      from there to step totalSteps
 *     0                                                                    from there on
 *
 * So with a warm-up the first update has rate 0, and the last one, step totalSteps - 1, still has a rate above 0.
 * Throws OPTION_INVALID.
 */
export function linearSchedule({ learningRate, warmupSteps, totalSteps }: LinearScheduleOptions): Schedule {
  requireOption(learningRate >= 0 && learningRate < Infinity, "learningRate", learningRate, "finite, at least 0");
  requireOption(Number.isSafeInteger(totalSteps) && totalSteps > 0, "totalSteps", totalSteps, "a whole number above 0");
  requireOption(
    Number.isSafeInteger(warmupSteps) && warmupSteps >= 0 && warmupSteps <= totalSteps,
    "warmupSteps",
    warmupSteps,
    `a whole number from 0 to totalSteps, ${totalSteps}`,
  );
  return (step) => {
    if (step < warmupSteps) return (learningRate * step) / warmupSteps;
    if (step >= totalSteps) return 0;
    return (learningRate * (totalSteps - step)) / (totalSteps - warmupSteps);
  };
}
