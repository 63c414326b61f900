import { availableParallelism } from "node:os";
import type { Norms, OpenKernels, Range, StepBuffers, StepFactors, StepKernels } from "../../optim/kernels.ts";
import { type Machine, openMachine } from "./machine.node.ts";

/** Numbers of a task (native/kernels/chunks.h), whose partial sum is kept. */
const CHUNK = 8192;

/** The passes of optimizers on all threads. They compute on the calling thread too, some milliseconds a step. */
export function nativeKernels({ threads = availableParallelism() }: { readonly threads?: number } = {}): OpenKernels {
  const machine = openMachine(threads);
  return (length) => new NativeKernels(machine, length);
}

class NativeKernels implements StepKernels {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly #machine: Machine;
  /** Partial sums of chunks. */
  readonly #partial: Float64Array;
  readonly #sums = new Float64Array(2);

  constructor(machine: Machine, length: number) {
    this.#machine = machine;
    this.m = new Float32Array(length);
    this.v = new Float32Array(length);
    this.#partial = new Float64Array(Math.ceil(length / CHUNK));
  }

  adamw(buffers: StepBuffers, range: Range, by: StepFactors): void {
    this.#pass("adamw", buffers, range, by);
  }

  measure(buffers: StepBuffers, range: Range, by: StepFactors): Norms {
    this.#pass("measureChanges", buffers, range, by, this.#partial, this.#sums);
    const [parameters, changes] = this.#sums;
    return { parameters: Math.sqrt(parameters), changes: Math.sqrt(changes) };
  }

  change(buffers: StepBuffers, range: Range, by: StepFactors): void {
    this.#pass("applyChanges", buffers, range, by);
  }

  sumOfSquares(values: Float32Array): number {
    this.#machine.call("sumOfSquares", values, values.length, this.#partial, this.#sums);
    return this.#sums[0];
  }

  #pass(
    kernel: string,
    { parameters, gradients }: StepBuffers,
    { offset, length }: Range,
    by: StepFactors,
    ...sums: readonly Float64Array[]
  ): void {
    const { gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay } = by;
    const ranges = [parameters, gradients, this.m, this.v].map((buffer) => buffer.subarray(offset, offset + length));
    const factors = [gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay];
    this.#machine.call(kernel, ...ranges, length, ...factors, ...sums);
  }
}
