import { ClozeError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import { type OpenKernels, wasmKernels } from "../optim/kernels.ts";
import { hasAddon, type InstructionSet, loadAddon } from "./native/addon.node.ts";
import { nativeExecutor } from "./native/executor.node.ts";
import { chooseSet } from "./native/machine.node.ts";
import { nativeKernels } from "./native/optimizer.node.ts";
import { onnxExecutor } from "./onnx/node.node.ts";

/**
 * Where to compute: `cpu` is the processor, by Cloze's own kernels where they were built, else by ONNX Runtime, which
 * `onnx` asks for; `auto` is `webgpu` where an adapter is found, else `cpu`.
 */
export const DEVICES = ["cpu", "onnx", "webgpu", "auto"] as const;
export type Device = (typeof DEVICES)[number];

/** `auto` is `bf16` for training where the processor multiplies bfloat16 numbers, and `fp32` for all else. */
export const PRECISIONS = ["auto", "fp32", "bf16"] as const;
export type Precision = (typeof PRECISIONS)[number];

export interface ExecutorOptions {
  /** Default `cpu`. */
  readonly device?: Device;
  /** What matrix products are computed in, if by Cloze's own kernels. Default `auto`. */
  readonly precision?: Precision;
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
  /** Never compute on the calling thread, so that its event loop stays free. Default false. */
  readonly worker?: boolean;
}

type Use = "training" | "inference";

/** Opens an executor. Throws DEVICE_UNAVAILABLE, for a GPU when it loads a graph. */
export function openExecutor(options: ExecutorOptions, use: Use): Executor {
  const { device = "cpu", threads, worker } = options;
  if (device === "onnx") return onnxExecutor({ device: "cpu", threads, worker });
  if (device === "cpu") return processorExecutor(options, use);
  if (device !== "auto") return onnxExecutor({ device, threads, worker }); // which refuses what is no device
  const webgpu = onnxExecutor({ device: "webgpu", threads, worker });
  return {
    name: "auto",
    load: (...graph) =>
      webgpu.load(...graph).catch((error) => {
        if (!isUnavailable(error)) throw error;
        return processorExecutor(options, use).load(...graph);
      }),
  };
}

function processorExecutor({ precision, threads, worker }: ExecutorOptions, use: Use): Executor {
  return nativeOr(
    () => nativeExecutor({ precision: precisionFor(use, precision), threads }),
    () => onnxExecutor({ device: "cpu", threads, worker }),
  );
}

/** What the native kernels give, or where there are none that load, something else. */
function nativeOr<T>(native: () => T, otherwise: () => T): T {
  try {
    return native();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    if (hasAddon()) warnOnce(`${error.message} Until then ONNX Runtime computes instead.`);
    return otherwise();
  }
}

function precisionFor(use: Use, precision: Precision = "auto"): "fp32" | "bf16" {
  if (precision !== "auto") return precision;
  return use === "training" ? "bf16" : "fp32";
}

let warned = false;

/** Of kernels that are there and yet of no use; that there are none is the installation's to tell. */
function warnOnce(text: string): void {
  if (!warned) process.emitWarning(text, "ClozeWarning");
  warned = true;
}

/**
 * What Cloze's own kernels can use of this processor, the best one first, and the one that computes. Throws
 * DEVICE_UNAVAILABLE where there are none, OPTION_INVALID for a wrong CLOZE_ISA.
 */
export function nativeInstructionSets(): { readonly all: readonly InstructionSet[]; readonly chosen: InstructionSet } {
  const addon = loadAddon();
  return { all: addon.instructionSets, chosen: addon.instructionSets[chooseSet(addon)] };
}

/** What passes over the flat buffers of an optimizer: native kernels where the device has them, else WebAssembly. */
export function openStepKernels({ device = "cpu", threads }: ExecutorOptions): OpenKernels {
  if (device !== "cpu") return wasmKernels;
  return nativeOr(
    () => nativeKernels({ threads }),
    () => wasmKernels,
  );
}

/** Whether an error says that a device is not there. */
export function isUnavailable(error: unknown): error is ClozeError {
  return error instanceof ClozeError && error.code === "DEVICE_UNAVAILABLE";
}
