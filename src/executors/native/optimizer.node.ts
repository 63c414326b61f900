import { availableParallelism } from "node:os";
import { type Need, outOfMemory } from "../../base/out-of-memory.ts";
import type { Norms, OpenKernels, StepBuffers, StepKernels, StepPart } from "../../optim/kernels.ts";
import { BufferList } from "./buffers.ts";
import type { KernelName } from "./families.ts";
import { LAYOUT } from "./layout.ts";
import { keepHere, type Machine, openMachine } from "./machine.node.ts";
import { encodeCalls } from "./program.ts";

const OPTIMIZER: Need = { what: "the optimizer needs", cure: "Train a smaller model." };

/**
 * The passes of optimizers on all threads, off the event loop, in turns with the other runs of these threads. Throws
 * DEVICE_UNAVAILABLE where the kernels were not built, OPTION_INVALID for a wrong number of threads, and OUT_OF_MEMORY, as do
 * the passes.
 */
export function nativeKernels({ threads = availableParallelism() }: { readonly threads?: number } = {}): OpenKernels {
  const machine = openMachine(threads);
  return (length) => new NativeKernels(machine, length);
}

/** A call of a kernel whose places are arrays. */
interface ArrayCall {
  readonly kernel: KernelName;
  readonly arguments: readonly (number | Float32Array | Float64Array)[];
}

class NativeKernels implements StepKernels {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly #machine: Machine;

  constructor(machine: Machine, length: number) {
    this.#machine = machine;
    [this.m, this.v] = makeMoments(length);
  }

  async adamw(buffers: StepBuffers, parts: readonly StepPart[]): Promise<void> {
    await this.#run(parts.map((part) => this.#call("adamw", buffers, part)));
  }

  async measure(buffers: StepBuffers, parts: readonly StepPart[]): Promise<Norms[]> {
    const partial = partialSums(Math.max(0, ...parts.map(({ length }) => length)), 2);
    const squares = parts.map(() => new Float64Array(2));
    await this.#run(parts.map((part, i) => this.#call("measureChanges", buffers, part, partial, squares[i])));
    return squares.map(([parameters, changes]) => ({
      parameters: Math.sqrt(parameters),
      changes: Math.sqrt(changes),
    }));
  }

  async change(buffers: StepBuffers, parts: readonly StepPart[]): Promise<void> {
    await this.#run(parts.map((part) => this.#call("applyChanges", buffers, part)));
  }

  async sumOfSquares(values: Float32Array): Promise<number> {
    const sum = new Float64Array(1);
    const { length } = values;
    await this.#run([{ kernel: "sumOfSquares", arguments: [values, length, partialSums(length), sum] }]);
    return sum[0];
  }

  #call(
    kernel: KernelName,
    { parameters, gradients }: StepBuffers,
    { offset, length, factors }: StepPart,
    ...sums: readonly Float64Array[]
  ): ArrayCall {
    const { gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay } = factors;
    const ranges = [parameters, gradients, this.m, this.v].map((buffer) => buffer.subarray(offset, offset + length));
    const numbers = [gradientScale, rate1, rate2, rootScale, epsilon, stepSize, decay];
    return { kernel, arguments: [...ranges, length, ...numbers, ...sums] };
  }

  /** Runs calls one after another, as one program. */
  async #run(calls: readonly ArrayCall[]): Promise<void> {
    const buffers = new BufferList();
    const program = encodeCalls(calls, this.#machine.kernels, (argument) =>
      typeof argument === "number" ? argument : buffers.at(argument.buffer, argument.byteOffset),
    );
    for (const buffer of buffers.all) keepHere(buffer);
    await this.#machine.turns.run(() => this.#machine.run(program, buffers.all, { need: OPTIMIZER }));
  }
}

function makeMoments(length: number): readonly [Float32Array, Float32Array] {
  try {
    return [new Float32Array(length), new Float32Array(length)];
  } catch (cause) {
    throw outOfMemory(cause, { need: OPTIMIZER, bytes: 2 * 4 * length });
  }
}

/** Room for the parts of so many sums over so many numbers; calls use it one after another. */
function partialSums(length: number, sums = 1): Float64Array {
  return new Float64Array(sums * Math.ceil(length / LAYOUT.chunk));
}
