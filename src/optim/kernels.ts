/**
 * Loops over flat buffers at the speed of memory: WebAssembly with 128-bit vectors, in Node and in the browser.
 *
 * Parameters and gradients stay ordinary `Float32Array`s, which ONNX Runtime can write into. Block by block they are
 * copied into the module's memory, worked on there in the processor's cache, and copied back. AdamW's moments, which nobody
 * else writes, live in that memory and are not copied. Element by element the arithmetic is IEEE 754's, so results depend
 * neither on the machine nor on where a block or a call begins; a sum is always taken over the same blocks in the same order.
 */
import { KERNELS } from "./kernels.wasm.ts";

/** Elements of one slot of a module's memory (64 KiB): both fit into a core's second-level cache. */
const BLOCK = 16_384;
const SLOTS_BYTES = 2 * 4 * BLOCK;
const PAGE_BYTES = 65_536;
const VECTOR_BYTES = 16;

/** The most parameters whose moments fit into the 4 GiB of a WebAssembly memory, with a vector to spare behind each. */
export const MAX_PARAMETERS = (2 ** 32 - SLOTS_BYTES - 2 * VECTOR_BYTES) / 8;

/** The factors of one AdamW step, the same for each element of a range. */
export interface AdamWCoefficients {
  /** g, the gradient that counts, is `gradientScale` times the given one. */
  readonly gradientScale: number;
  /** 1 - beta1: m += (g - m) * rate1. */
  readonly rate1: number;
  /** 1 - beta2: v += (g * g - v) * rate2. */
  readonly rate2: number;
  /** direction = m / (sqrt(v) * rootScale + epsilon). */
  readonly rootScale: number;
  readonly epsilon: number;
  /** p -= stepSize * direction + decay * p. */
  readonly stepSize: number;
  readonly decay: number;
}

/** The moments of all parameters, zero at first, in the memory of a module of their own. */
export interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly kernels: Kernels;
}

/** For at most MAX_PARAMETERS. */
export function makeMoments(length: number): Moments {
  const bytes = 4 * length + VECTOR_BYTES; // the kernel's last vector may reach behind the last element
  const kernels = load(SLOTS_BYTES + 2 * bytes);
  const m = new Float32Array(kernels.memory, SLOTS_BYTES, length);
  const v = new Float32Array(kernels.memory, SLOTS_BYTES + bytes, length);
  return { m, v, kernels };
}

/** One AdamW step, in place, on the elements from `begin` up to `end` of parameters and moments. */
export function adamwRange(
  { m, v, kernels }: Moments,
  parameters: Float32Array,
  gradients: Float32Array,
  begin: number,
  end: number,
  by: AdamWCoefficients,
): void {
  const { gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay } = by;
  forEachBlock(kernels, { written: parameters, read: gradients }, begin, end, (length, from) => {
    const ms = m.byteOffset + 4 * from;
    const vs = v.byteOffset + 4 * from;
    kernels.adamw(length, ms, vs, gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay);
  });
}

/** The sum of all squares, in float64 throughout; a NaN or an infinity among the values makes it non-finite. */
export function sumOfSquares(values: Float32Array): number {
  const kernels = sharedKernels();
  let sum = 0;
  forEachBlock(kernels, { read: values }, 0, values.length, (length) => {
    sum += kernels.sumOfSquares(length);
  });
  return sum;
}

/** target += addition, for two buffers of one length. */
export function addInPlace(target: Float32Array, addition: Float32Array): void {
  const kernels = sharedKernels();
  forEachBlock(kernels, { written: target, read: addition }, 0, target.length, kernels.add);
}

/**
 * Copies each block of the buffers into the slots, zeros behind a short block that is read, runs the kernel on it, and
 * copies the written one back.
 */
function forEachBlock(
  { slots: [target, source] }: Kernels,
  { written, read }: { written?: Float32Array; read: Float32Array },
  begin: number,
  end: number,
  kernel: (length: number, from: number) => void,
): void {
  for (let from = begin; from < end; from += BLOCK) {
    const to = Math.min(from + BLOCK, end);
    const length = to - from;
    const view = written?.subarray(from, to);
    source.set(read.subarray(from, to));
    source.fill(0, length);
    if (view) target.set(view);
    kernel(length, from);
    view?.set(target.subarray(0, length));
  }
}

interface Kernels {
  readonly memory: ArrayBuffer;
  /** The first two blocks of the memory: the one worked on, and the one only read. */
  readonly slots: readonly [Float32Array, Float32Array];
  adamw(length: number, ms: number, vs: number, ...coefficients: number[]): void;
  sumOfSquares(length: number): number;
  add(length: number): void;
}

let shared: Kernels | undefined;

/** For what keeps nothing in the memory. */
function sharedKernels(): Kernels {
  shared ??= load(SLOTS_BYTES);
  return shared;
}

let module: WebAssembly.Module | undefined;

/** The module on a memory of its own. Compiled when first needed: a millisecond, small enough for browsers to do at once. */
function load(bytes: number): Kernels {
  module ??= new WebAssembly.Module(Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0)));
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const functions = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  const slots = [new Float32Array(memory.buffer, 0, BLOCK), new Float32Array(memory.buffer, 4 * BLOCK, BLOCK)] as const;
  return { ...functions, memory: memory.buffer, slots };
}
