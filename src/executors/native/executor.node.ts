import { availableParallelism } from "node:os";
import { mapValues } from "../../base/map-values.ts";
import { outOfMemory } from "../../base/out-of-memory.ts";
import {
  disposedError,
  type Executable,
  type Executor,
  type LoadOptions,
  type RunOptions,
  type Value,
} from "../../graph/executor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Bindings, bindInputs, bindShape, checkOutputs } from "../../graph/inputs.ts";
import { type NamedParameters, numbersOf, requireParameters, sizeOf } from "../../graph/parameters.ts";
import { Buffers, NO_MEMORY } from "./buffers.ts";
import { compileNative } from "./compile.ts";
import { holdConstants } from "./frozen.node.ts";
import { canStay, keepHere, type Machine, openMachine } from "./machine.node.ts";
import { type Lifetime, layArena, lifetimesOf } from "./memory.ts";
import { type Place, type Plan, parametersIn } from "./plan.ts";
import { compileOptionsFor, type NativePrecision } from "./precision.node.ts";
import { timedCall } from "./profile.ts";
import { encode } from "./program.ts";
import { type HeldConstants, NO_CONSTANTS } from "./shared-constants.ts";

type Values = Readonly<Record<string, Value>>;

export interface NativeOptions {
  /** Default `fp32`. */
  readonly precision?: NativePrecision;
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
}

/**
 * The executor on Cloze's own kernels for processors. Throws DEVICE_UNAVAILABLE where they were not built, OPTION_INVALID for
 * a wrong number of threads and for `int8` where the processor has no products of 8-bit integers, and OUT_OF_MEMORY where so
 * many threads do not start. To load a graph throws what `requireParameters` and `holdConstants` do, and INPUT_SHAPE for
 * parameters in shared or resizable memory; a run INPUT_MISSING, INPUT_SHAPE, ID_OUT_OF_RANGE, SEED_MISSING, OPTION_INVALID
 * for what is no seed, OUT_OF_MEMORY and DISPOSED.
 *
 * Parameters, outputs and floats among the inputs are used where they lie, so messages to other threads copy them from then
 * on, or refuse to take them along (`markAsUntransferable`).
 */
export function nativeExecutor(options: NativeOptions = {}): Executor {
  const { precision = "fp32", threads = availableParallelism() } = options;
  const machine = openMachine(threads);
  const compileOptions = compileOptionsFor(precision, machine.instructionSet);
  return {
    name: `native ${precision === "int8" ? "int8, " : ""}${compileOptions.activationType}`,
    async load(graph: Graph, parameters: NamedParameters, { frozen = false }: LoadOptions = {}) {
      requireParameters(graph.parameters, parameters);
      const plan = compileNative(graph, { ...compileOptions, frozen });
      for (const name of parametersIn(plan)) keepHere(numbersOf(parameters, name).buffer);
      const constants = await holdConstants(plan, parameters, machine);
      return new NativeExecutable({ graph, parameters, plan, constants, machine });
    },
  };
}

interface ExecutableParts {
  readonly graph: Graph;
  readonly parameters: NamedParameters;
  readonly plan: Plan;
  readonly constants: HeldConstants;
  readonly machine: Machine;
}

class NativeExecutable implements Executable {
  readonly #graph: Graph;
  readonly #parameters: NamedParameters;
  readonly #plan: Plan;
  readonly #lifetimes: readonly Lifetime[];
  #constants: HeldConstants;
  readonly #machine: Machine;
  #arena = NO_MEMORY;
  #disposed = false;

  constructor({ graph, parameters, plan, constants, machine }: ExecutableParts) {
    this.#graph = graph;
    this.#parameters = parameters;
    this.#plan = plan;
    this.#lifetimes = lifetimesOf(plan.calls);
    this.#constants = constants;
    this.#machine = machine;
  }

  async run(inputs: Values, options: RunOptions = {}): Promise<Record<string, Value>> {
    try {
      const written = Object.values(options.outputs ?? {}).map(({ buffer }) => buffer);
      const given = mapValues(inputs, ({ data, shape }) => ({ data: readable(data, written), shape }));
      return await this.#machine.turns.run(() => this.#run(given, options));
    } catch (cause) {
      throw isAllocationFailure(cause) ? outOfMemory(cause) : cause;
    }
  }

  dispose(): Promise<void> {
    return this.#machine.turns.run(async () => {
      this.#disposed = true;
      this.#constants.release();
      this.#constants = NO_CONSTANTS;
      this.#arena = NO_MEMORY;
    });
  }

  async #run(given: Values, { outputs = {}, seed, onCalls, signal }: RunOptions) {
    if (this.#disposed) throw disposedError();
    const bindings = bindInputs(this.#graph, given, seed);
    checkOutputs(this.#graph, bindings, outputs);
    for (const data of Object.values(outputs)) keepHere(data.buffer);
    const values = this.#makeOutputs(bindings, outputs);
    const run = { bindings, seed: seed ?? 0 };
    const layout = layArena(this.#lifetimes, run);
    if (layout.bytes > this.#arena.bytes) {
      this.#arena = NO_MEMORY; // which there may not be room for beside the new one
      this.#arena = this.#machine.allocate(layout.bytes);
    }
    const arena = { layout, memory: this.#arena };
    const { memories: constants } = this.#constants;
    const buffers = new Buffers({ parameters: this.#parameters, constants, arena, input: given, output: values });
    const program = encode(this.#plan.calls, this.#machine.kernels, (place) => buffers.addressOf(place), run);
    const seconds = onCalls && new Float64Array(this.#plan.calls.length);
    await this.#machine.run(program, buffers.all, { seconds, signal });
    if (seconds !== undefined) {
      const bytesOf = (place: Place) => buffers.bytesOf(place, run);
      onCalls?.(this.#plan.calls.map((call, i) => timedCall(call, seconds[i], run, bytesOf)));
    }
    return values;
  }

  #makeOutputs(bindings: Bindings, given: Readonly<Record<string, Float32Array>>): Record<string, Value> {
    const values: Record<string, Value> = {};
    for (const [name, tensor] of Object.entries(this.#graph.outputs)) {
      const shape = bindShape(tensor.shape, bindings);
      const size = sizeOf(shape);
      const data = given[name] ?? (tensor.dtype === "int32" ? new Int32Array(size) : new Float32Array(size));
      values[name] = { data, shape };
    }
    return values;
  }
}

/** As V8 says it of arrays. */
function isAllocationFailure(error: unknown): boolean {
  return error instanceof RangeError && /allocation failed|invalid (typed )?array length/i.test(error.message);
}

/**
 * What kernels read of an input. Integers are copied, so that what is checked cannot change meanwhile; floats are read where
 * they lie, unless that memory may go, or is written in the same run.
 */
function readable(data: Value["data"], written: readonly ArrayBufferLike[]): Float32Array | Int32Array {
  if (data instanceof Int32Array) return new Int32Array(data);
  const mayChange = written.includes(data.buffer) || !canStay(data.buffer);
  if (data instanceof Float64Array || mayChange) return new Float32Array(data);
  keepHere(data.buffer);
  return data;
}
