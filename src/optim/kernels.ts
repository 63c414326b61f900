/**
 * What optimizers do to flat buffers, and those passes at the speed of memory: WebAssembly with 128-bit vectors, in Node and in the browser.
 *
 * Parameters and gradients stay ordinary `Float32Array`s, which ONNX Runtime can write into. Block by block they are
 * copied into the module's memory, worked on there in the processor's cache, and copied back. The moments, which nobody
 * else writes, live in that memory and are not copied. Element by element the arithmetic is IEEE 754's, so results
 * depend neither on the machine nor on where a block or a call begins; a sum is always taken over the same blocks, the
 * first of which begins with its range, in the same order.
 */
import { KERNELS } from "./kernels.wasm.ts";
import { requireOption } from "./options.ts";

/** Elements of one slot of a module's memory (64 KiB): both fit into a core's second-level cache. */
const BLOCK = 16_384;
/** The most elements that a kernel's loop takes at once. */
const STRIDE = 8;
const SLOTS_BYTES = 2 * 4 * BLOCK;
const PAGE_BYTES = 65_536;
const VECTOR_BYTES = 16;

/** The most parameters whose moments fit into the 4 GiB of a WebAssembly memory, with a vector to spare behind each. */
export const MAX_PARAMETERS = (2 ** 32 - SLOTS_BYTES - 2 * VECTOR_BYTES) / 8;

/** The factors of one step of AdamW or LAMB, the same for each element of a range. */
export interface StepFactors {
  /** g, the gradient that counts, is `gradientScale` times the given one. */
  readonly gradientScale: number;
  /** 1 - beta1: m += (g - m) * rate1. */
  readonly rate1: number;
  /** 1 - beta2: v += (g * g - v) * rate2. */
  readonly rate2: number;
  /** direction = m / (sqrt(v) * rootScale + epsilon). */
  readonly rootScale: number;
  readonly epsilon: number;
  /** p -= change, where change = stepSize * direction + decay * p. */
  readonly stepSize: number;
  readonly decay: number;
}

/** What a step works on beside the moments: parameters change, gradients are only read. */
export interface StepBuffers {
  readonly parameters: Float32Array;
  readonly gradients: Float32Array;
}

/** Elements of flat buffers. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A range, and the factors of its step. */
export interface StepPart extends Range {
  readonly factors: StepFactors;
}

/** Euclidean norms of a range, summed in float64. */
export interface Norms {
  readonly parameters: number;
  readonly changes: number;
}

/**
 * The moments of all parameters, zero at first, and the passes that an optimizer makes over them. Until a pass has ended
 * its buffers must be left alone. The parts of one do not overlap.
 */
export interface StepKernels {
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** AdamW: updates the moments of each part by its gradients, then changes its parameters by the moments. */
  adamw(buffers: StepBuffers, parts: readonly StepPart[]): Promise<void>;
  /** LAMB's first pass: updates the moments of each part by its gradients; norms of its parameters and its changes. */
  measure(buffers: StepBuffers, parts: readonly StepPart[]): Promise<Norms[]>;
  /** LAMB's second pass: changes the parameters of each part by its moments. */
  change(buffers: StepBuffers, parts: readonly StepPart[]): Promise<void>;
  /** The sum of all squares, in float64 throughout; a NaN or an infinity among the values makes it non-finite. */
  sumOfSquares(values: Float32Array): Promise<number>;
}

/** Makes the kernels for so many parameters. */
export type OpenKernels = (length: number) => StepKernels;

/**
 * The kernels in WebAssembly, which compute on the calling thread. They throw OPTION_INVALID for more than 536,854,524
 * parameters (MAX_PARAMETERS).
 */
export const wasmKernels: OpenKernels = (length) => {
  requireOption(length <= MAX_PARAMETERS, "the number of parameters", length, `at most ${MAX_PARAMETERS}`);
  return new WasmKernels(length);
};

/** The moments lie in the memory of a module of their own. */
class WasmKernels implements StepKernels {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly #module: Module;

  constructor(length: number) {
    const bytes = 4 * length + VECTOR_BYTES; // the kernel's last vector may reach behind the last element
    this.#module = load(SLOTS_BYTES + 2 * bytes);
    this.m = new Float32Array(this.#module.memory, SLOTS_BYTES, length);
    this.v = new Float32Array(this.#module.memory, SLOTS_BYTES + bytes, length);
  }

  async adamw({ parameters, gradients }: StepBuffers, parts: readonly StepPart[]): Promise<void> {
    const [target, source] = this.#module.slots;
    forEachBlockOf(parts, (from, to, by) => {
      copyIn(target, parameters, from, to);
      copyIn(source, gradients, from, to);
      this.#updateMoments(from, to, by);
      this.#applyChanges(from, to, by);
      copyOut(target, parameters, from, to);
    });
  }

  async measure(buffers: StepBuffers, parts: readonly StepPart[]): Promise<Norms[]> {
    return parts.map((part) => this.#measure(buffers, part));
  }

  #measure({ parameters, gradients }: StepBuffers, part: StepPart): Norms {
    const [target, source] = this.#module.slots;
    let parameterSquares = 0;
    let changeSquares = 0;
    forEachBlock(part, (from, to) => {
      copyIn(target, parameters, from, to);
      copyIn(source, gradients, from, to);
      this.#updateMoments(from, to, part.factors);
      this.#computeChanges(from, to, part.factors);
      parameterSquares += slotSquares(this.#module, target, to - from);
      changeSquares += slotSquares(this.#module, source, to - from);
    });
    return { parameters: Math.sqrt(parameterSquares), changes: Math.sqrt(changeSquares) };
  }

  async change({ parameters }: StepBuffers, parts: readonly StepPart[]): Promise<void> {
    const [target] = this.#module.slots;
    forEachBlockOf(parts, (from, to, by) => {
      copyIn(target, parameters, from, to);
      this.#applyChanges(from, to, by);
      copyOut(target, parameters, from, to);
    });
  }

  async sumOfSquares(values: Float32Array): Promise<number> {
    const kernels = sharedKernels();
    const [slot] = kernels.slots;
    let sum = 0;
    forEachBlock({ offset: 0, length: values.length }, (from, to) => {
      copyIn(slot, values, from, to);
      sum += slotSquares(kernels, slot, to - from);
    });
    return sum;
  }

  #updateMoments(from: number, to: number, { gradientScale, rate1, rate2 }: StepFactors): void {
    this.#module.updateMoments(to - from, ...this.#addresses(from), gradientScale, rate1, rate2);
  }

  #applyChanges(from: number, to: number, { rootScale, epsilon, stepSize, decay }: StepFactors): void {
    this.#module.applyChanges(to - from, ...this.#addresses(from), rootScale, epsilon, stepSize, decay);
  }

  #computeChanges(from: number, to: number, { rootScale, epsilon, stepSize, decay }: StepFactors): void {
    this.#module.computeChanges(to - from, ...this.#addresses(from), rootScale, epsilon, stepSize, decay);
  }

  #addresses(index: number): [number, number] {
    return [this.m.byteOffset + 4 * index, this.v.byteOffset + 4 * index];
  }
}

/** target += addition, for two buffers of one length. */
export function addInPlace(target: Float32Array, addition: Float32Array): void {
  const kernels = sharedKernels();
  forEachBlock({ offset: 0, length: target.length }, (from, to) => {
    copyIn(kernels.slots[0], target, from, to);
    copyIn(kernels.slots[1], addition, from, to);
    kernels.add(to - from);
    copyOut(kernels.slots[0], target, from, to);
  });
}

function forEachBlock({ offset, length }: Range, work: (from: number, to: number) => void): void {
  const end = offset + length;
  for (let from = offset; from < end; from += BLOCK) work(from, Math.min(from + BLOCK, end));
}

function forEachBlockOf(parts: readonly StepPart[], work: (from: number, to: number, by: StepFactors) => void): void {
  for (const part of parts) forEachBlock(part, (from, to) => work(from, to, part.factors));
}

function copyIn(slot: Float32Array, values: Float32Array, from: number, to: number): void {
  slot.set(values.subarray(from, to));
}

function copyOut(slot: Float32Array, values: Float32Array, from: number, to: number): void {
  values.set(slot.subarray(0, to - from), from);
}

/** The sum of squares of a slot. The kernel takes along what lies behind a short block, so that must be zero. */
function slotSquares(kernels: Module, slot: Float32Array, length: number): number {
  slot.fill(0, length, length + STRIDE);
  return kernels.sumOfSquares(length, slot.byteOffset);
}

interface Module {
  readonly memory: ArrayBuffer;
  /** The first two blocks of the memory: for what is changed, and for what it is changed by. */
  readonly slots: readonly [Float32Array, Float32Array];
  updateMoments(length: number, ms: number, vs: number, ...factors: number[]): void;
  applyChanges(length: number, ms: number, vs: number, ...factors: number[]): void;
  computeChanges(length: number, ms: number, vs: number, ...factors: number[]): void;
  sumOfSquares(length: number, slot: number): number;
  add(length: number): void;
}

let shared: Module | undefined;

/** For what keeps nothing in the memory. */
function sharedKernels(): Module {
  shared ??= load(SLOTS_BYTES);
  return shared;
}

let compiled: WebAssembly.Module | undefined;

/** The module on a memory of its own. Compiled when first needed: a millisecond, which browsers allow at once. */
function load(bytes: number): Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0)));
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const functions = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Module;
  const slots = [new Float32Array(memory.buffer, 0, BLOCK), new Float32Array(memory.buffer, 4 * BLOCK, BLOCK)] as const;
  return { ...functions, memory: memory.buffer, slots };
}
