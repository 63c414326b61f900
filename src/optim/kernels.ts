/**
 * Loops over flat buffers at the speed of memory: WebAssembly with 128-bit vectors, in Node and in the browser.
 *
 * The buffers stay ordinary `Float32Array`s, which ONNX Runtime can write into. Block by block they are copied into the
 * module's small memory, worked on there in the processor's cache, and copied back. (Buffers inside a WebAssembly memory
 * would save the copies, but end at 4 GB: less than the optimizer of BERT-large needs.) Element by element the arithmetic
 * is IEEE 754's, so results depend neither on the machine nor on where a block or a call begins; a sum is always taken
 * over the same blocks in the same order.
 */
import { KERNELS } from "./kernels.wasm.ts";

/** Elements of one slot of the module's memory (64 KiB): four of them fit into a core's second-level cache. */
const BLOCK = 16_384;

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

export interface AdamWBuffers {
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** One AdamW step, in place, on the elements from `begin` up to `end` of each buffer. */
export function adamwRange(buffers: AdamWBuffers, begin: number, end: number, by: AdamWCoefficients): void {
  const { adamw } = kernels();
  const { parameters, gradients, m, v } = buffers;
  forEachBlock({ written: [parameters, m, v], read: [gradients] }, begin, end, (length) =>
    adamw(length, by.gradientScale, by.rate1, by.rate2, by.rootScale, by.epsilon, by.stepSize, by.decay),
  );
}

/** The sum of all squares, in float64 throughout; a NaN or an infinity among the values makes it non-finite. */
export function sumOfSquares(values: Float32Array): number {
  const { sumOfSquares } = kernels();
  let sum = 0;
  forEachBlock({ written: [], read: [values] }, 0, values.length, (length) => {
    sum += sumOfSquares(length);
  });
  return sum;
}

/** target += addition, for two buffers of one length. */
export function addInPlace(target: Float32Array, addition: Float32Array): void {
  const { add } = kernels();
  forEachBlock({ written: [target], read: [addition] }, 0, target.length, add);
}

/**
 * Copies each block of the buffers into the slots (first those written, then those read), zeros behind a short block, runs
 * the kernel on it, and copies the written ones back.
 */
function forEachBlock(
  { written, read }: { written: readonly Float32Array[]; read: readonly Float32Array[] },
  begin: number,
  end: number,
  kernel: (length: number) => void,
): void {
  const { slots } = kernels();
  const buffers = [...written, ...read];
  for (let from = begin; from < end; from += BLOCK) {
    const to = Math.min(from + BLOCK, end);
    const length = to - from;
    const views = buffers.map((buffer) => buffer.subarray(from, to));
    views.forEach((view, i) => {
      slots[i]!.set(view);
      slots[i]!.fill(0, length);
    });
    kernel(length);
    for (let i = 0; i < written.length; i++) views[i]!.set(slots[i]!.subarray(0, length));
  }
}

interface Kernels {
  /** The module's memory, a block each. */
  readonly slots: readonly Float32Array[];
  adamw(length: number, ...coefficients: number[]): void;
  sumOfSquares(length: number): number;
  add(length: number): void;
}

let loaded: Kernels | undefined;

/** Compiled when first needed: a millisecond, and small enough for the browsers' limit on doing so at once. */
function kernels(): Kernels {
  loaded ??= load();
  return loaded;
}

function load(): Kernels {
  const module = new WebAssembly.Module(Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0)));
  const { memory, ...functions } = new WebAssembly.Instance(module).exports as unknown as Omit<Kernels, "slots"> & {
    memory: WebAssembly.Memory;
  };
  const slots = [0, 1, 2, 3].map((slot) => new Float32Array(memory.buffer, slot * BLOCK * 4, BLOCK));
  return { slots, ...functions };
}
