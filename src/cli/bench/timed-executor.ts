import {
  type ExecutorOptions,
  isUnavailable,
  openExecutor,
  openStepKernels,
  type TimedCall,
  timedExecutor,
} from "../../executors/executor.node.ts";
import type { Executor } from "../../graph/executor.ts";
import type { OpenKernels } from "../../optim/kernels.ts";

/** An executor, and what its calls of kernels took. */
export interface Timed {
  readonly executor: Executor;
  /** What updates parameters beside it. */
  readonly stepKernels: OpenKernels;
  /** The calls of all runs since it was last asked; none where ONNX Runtime computes. */
  takeCalls(): readonly TimedCall[];
  /** Why ONNX Runtime computes. */
  readonly missing?: string;
}

export type TimedOptions = Pick<ExecutorOptions, "precision" | "threads">;

/** Cloze's own kernels where there are any, else ONNX Runtime. Throws OPTION_INVALID for a wrong CLOZE_ISA. */
export function openTimed(options: TimedOptions, use: "training" | "inference"): Timed {
  let calls: TimedCall[] = [];
  try {
    const executor = timedExecutor(options, use, (more) => {
      calls.push(...more);
    });
    return {
      executor,
      stepKernels: openStepKernels(options),
      takeCalls() {
        const taken = calls;
        calls = [];
        return taken;
      },
    };
  } catch (error) {
    if (!isUnavailable(error) || options.precision === "int8") throw error;
    const onnx = { ...options, device: "onnx" } as const;
    const executor = openExecutor(onnx, use);
    return { executor, stepKernels: openStepKernels(onnx), takeCalls: () => [], missing: error.message };
  }
}
