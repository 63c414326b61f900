import { availableParallelism } from "node:os";
import { ClozeError } from "../base/errors.ts";
import { constant } from "../graph/build.ts";
import type { Executor } from "../graph/executor.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import { type NamedParameters, Parameters } from "../graph/parameters.ts";
import { type OpenKernels, wasmKernels } from "../optim/kernels.ts";
import { hasAddon, hasPrebuilt, type InstructionSet, loadAddon, mapFile } from "./native/addon.node.ts";
import { nativeExecutor } from "./native/executor.node.ts";
import { adoptPacked, type PackedParameters, packParameters } from "./native/frozen.node.ts";
import { chooseSet, openMachine } from "./native/machine.node.ts";
import { nativeKernels } from "./native/optimizer.node.ts";
import {
  compileOptionsFor,
  type NativePrecision,
  requireNumbersOf,
  requirePrecision,
} from "./native/precision.node.ts";
import { onnxExecutor } from "./onnx/node.node.ts";

/**
 * Where to compute: `cpu` is the processor, by Cloze's own kernels where they were built, else by ONNX Runtime, which
 * `onnx` asks for; `auto` is `webgpu` where an adapter is found, else `cpu`.
 */
export const DEVICES = ["cpu", "onnx", "webgpu", "auto"] as const;
export type Device = (typeof DEVICES)[number];

/** What an executor is for. */
export type Use = "training" | "inference";

/**
 * What matrix products are computed in. `bf16` is float32 on processors that do not multiply bfloat16 numbers; `auto` is `bf16`
 * for training on those that do, and `fp32` for all else. `int8` is for inference alone: a gradient of whole numbers would be 0
 * almost everywhere.
 */
export const PRECISIONS = {
  training: ["auto", "fp32", "bf16"],
  inference: ["auto", "fp32", "bf16", "int8"],
} as const satisfies Record<Use, readonly string[]>;
export type Precision<U extends Use = "inference"> = (typeof PRECISIONS)[U][number];

export interface ExecutorOptions<U extends Use = "inference"> {
  /** Default `cpu`. */
  readonly device?: Device;
  /** What matrix products are computed in, if by Cloze's own kernels. Default `auto`. */
  readonly precision?: Precision<U>;
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
  /**
   * Have ONNX Runtime compute on a thread of its own, so that the caller's event loop stays free, as the native kernels leave
   * it anyway. Dropout's masks and the optimizer's WebAssembly stay on the caller's. Default false.
   */
  readonly worker?: boolean;
}

/** The names of all. */
export const EXECUTOR_OPTIONS: Readonly<Record<keyof ExecutorOptions, true>> = {
  device: true,
  precision: true,
  threads: true,
  worker: true,
};

/**
 * Opens an executor. Throws OPTION_INVALID for what is no precision, for `int8` where that cannot be had and for `bf16` on
 * another device than `cpu`, and DEVICE_UNAVAILABLE, for a GPU when it loads a graph. Where a processor computes float32 for
 * `bf16`, a warning says so.
 */
export async function openExecutor<U extends Use>(options: ExecutorOptions<U>, use: U): Promise<Executor> {
  const { precision, threads, worker } = options;
  if (precision !== undefined && precision !== "int8") requirePrecision(precision, PRECISIONS[use]);
  const device = await chooseDevice(options);
  if (precision === "int8") return int8Executor(options, use);
  if (device === "cpu") return processorExecutor(options, use);
  return onnxExecutor({ device: device === "onnx" ? "cpu" : device, threads, worker }); // which refuses what is no device
}

/**
 * The device asked for; for `auto`, what that is on this machine. A training asks once and goes on with no other. Throws
 * OPTION_INVALID for a precision that the device does not compute in.
 */
export async function chooseDevice({
  device = "cpu",
  precision,
}: ExecutorOptions<Use>): Promise<Exclude<Device, "auto">> {
  if (precision === "bf16" || precision === "int8") requireProcessor(precision, device);
  if (device !== "auto") return device;
  const smallest = makeGraph({ y: constant(1) });
  try {
    const executable = await onnxExecutor({ device: "webgpu" }).load(smallest, new Parameters([]));
    await executable.dispose();
    return "webgpu";
  } catch (error) {
    if (isUnavailable(error)) return "cpu";
    throw error;
  }
}

/** Another device computes in float32 alone, and whoever asks for other numbers is not served with these. */
function requireProcessor(precision: "bf16" | "int8", device: Device): void {
  if (device === "cpu") return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `the precision ${precision} is for the processor`,
    expected: 'the device "cpu"',
    received: device,
    cure: "Leave the precision out, or the device.",
  });
}

function int8Executor({ threads }: ExecutorOptions<Use>, use: Use): Executor {
  if (use === "inference") return nativeExecutor({ precision: "int8", threads });
  throw new ClozeError("OPTION_INVALID", {
    problem: "the precision int8 is for predicting and evaluating",
    expected: `${PRECISIONS.training.join(", ")} for training`,
    received: "int8",
    cure: "Train in another precision; the trained model can be run in int8.",
  });
}

function processorExecutor({ precision = "auto", threads, worker }: ExecutorOptions<Use>, use: Use): Executor {
  const instead = (reason: string) => {
    if (precision === "bf16") warnOnce(`The precision bf16 is computed in float32, as ${reason}.`);
  };
  return nativeOr(
    () => {
      const executor = nativeExecutor({ precision: precisionFor(use, precision), threads });
      const { name, bfloat16 } = nativeInstructionSets().chosen;
      if (!bfloat16) instead(`this processor (${name}) has no AVX512-BF16`);
      return executor;
    },
    () => {
      instead("ONNX Runtime computes");
      return onnxExecutor({ device: "cpu", threads, worker });
    },
  );
}

/** What the native kernels give, or where there are none that load, something else. */
function nativeOr<T>(native: () => T, otherwise: () => T): T {
  try {
    return native();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    if (hasAddon() || hasPrebuilt()) warnOnce(`${error.message} Until then ONNX Runtime computes instead.`);
    return otherwise();
  }
}

function precisionFor(use: Use, precision: Precision<Use>): NativePrecision {
  if (precision !== "auto") return precision;
  return use === "training" ? "bf16" : "fp32";
}

export type { NativePrecision, PackedParameters };
export { adoptPacked, mapFile };

const warnings = new Set<string>();

/**
 * What computes otherwise than asked for, or slower than it could. That there are no kernels at all the installation tells; of
 * some that came along and do not fit it may have told nothing, as with --ignore-scripts.
 */
function warnOnce(text: string): void {
  if (!warnings.has(text)) process.emitWarning(text, "ClozeWarning");
  warnings.add(text);
}

/**
 * What Cloze's own kernels can use of this processor, the best one first, and the one that computes. Throws
 * DEVICE_UNAVAILABLE where there are none, OPTION_INVALID for a wrong CLOZE_ISA.
 */
export function nativeInstructionSets(): { readonly all: readonly InstructionSet[]; readonly chosen: InstructionSet } {
  const addon = loadAddon();
  return { all: addon.instructionSets, chosen: addon.instructionSets[chooseSet(addon)] };
}

/**
 * What passes over the flat buffers of an optimizer, which lie in this computer's memory whatever computes the gradients:
 * native kernels where there are any and nobody asked for ONNX Runtime, else WebAssembly.
 */
export function openStepKernels({ device = "cpu", threads }: ExecutorOptions): OpenKernels {
  if (device === "onnx") return wasmKernels;
  return nativeOr(
    () => nativeKernels({ threads }),
    () => wasmKernels,
  );
}

/**
 * Packs what a graph reads of frozen parameters as the processor's own kernels read it. Throws DEVICE_UNAVAILABLE where there
 * are none, OPTION_INVALID for a precision that the processor lacks, and OUT_OF_MEMORY.
 */
export function packForProcessor(
  graph: Graph,
  parameters: NamedParameters,
  precision: NativePrecision,
): Promise<PackedParameters> {
  const machine = openMachine(availableParallelism());
  const compileOptions = compileOptionsFor(precision, machine.instructionSet);
  requireNumbersOf(precision, machine.instructionSet); // a folder for bf16 has no float32 to fall back on
  return packParameters(graph, parameters, machine, compileOptions);
}

/** Whether an error says that a device is not there. */
export function isUnavailable(error: unknown): error is ClozeError {
  return error instanceof ClozeError && error.code === "DEVICE_UNAVAILABLE";
}
