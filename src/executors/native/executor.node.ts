import { availableParallelism } from "node:os";
import { markAsUntransferable } from "node:worker_threads";
import { ClozeError } from "../../base/errors.ts";
import { mapValues } from "../../base/map-values.ts";
import type { Executable, Executor, LoadOptions, RunOptions, Value } from "../../graph/executor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Bindings, bindInputs, bindShape, checkOutputs } from "../../graph/inputs.ts";
import { type Parameters, requireParameters, sizeOf } from "../../graph/parameters.ts";
import { compileNative } from "./compile.ts";
import { type Machine, openMachine, outOfMemory } from "./machine.node.ts";
import { type Layout, layArena, layConstants } from "./memory.ts";
import { type Place, type Plan, quantityIn, type RunSizes } from "./plan.ts";
import { type TimedCall, timedCall } from "./profile.ts";
import { encode } from "./program.ts";

export interface NativeOptions {
  /** `bf16`: products in bfloat16 with float32 sums, where the processor has them; else float32. Default `fp32`. */
  readonly precision?: "fp32" | "bf16";
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
  /** Told what each call of a kernel took, after every run. */
  readonly onRun?: (calls: readonly TimedCall[]) => void;
}

/** The executor on Cloze's own kernels for processors. Throws DEVICE_UNAVAILABLE where they were not built. */
export function nativeExecutor(options: NativeOptions = {}): Executor {
  const { precision = "fp32", threads = availableParallelism(), onRun } = options;
  const machine = openMachine(threads);
  const activationType = precision === "bf16" && machine.bfloat16 ? "bfloat16" : "float32";
  return {
    name: `native ${activationType}`,
    async load(graph: Graph, parameters: Parameters, { frozen = false }: LoadOptions = {}) {
      requireParameters(graph.parameters, parameters);
      keepHere(parameters.buffer);
      const plan = compileNative(graph, { activationType, frozen });
      const executable = new NativeExecutable(graph, parameters, plan, machine, onRun);
      await executable.prepare();
      return executable;
    },
  };
}

class NativeExecutable implements Executable {
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #plan: Plan;
  readonly #machine: Machine;
  readonly #onRun: NativeOptions["onRun"];
  #arena = new ArrayBuffer(0);
  #constants: { readonly layout: Layout; readonly memory: ArrayBuffer };
  #disposed = false;

  constructor(graph: Graph, parameters: Parameters, plan: Plan, machine: Machine, onRun: NativeOptions["onRun"]) {
    this.#graph = graph;
    this.#parameters = parameters;
    this.#plan = plan;
    this.#machine = machine;
    this.#onRun = onRun;
    const layout = layConstants(plan.prepare, { bindings: new Map(), seed: 0 });
    this.#constants = { layout, memory: machine.allocate(layout.bytes) };
  }

  /** Computes what follows from frozen parameters. */
  async prepare(): Promise<void> {
    const buffers = new Buffers(this.#parameters, this.#constants, { layout: EMPTY, memory: this.#arena }, {}, {});
    const program = encode(this.#plan.prepare, this.#machine.kernels, (place) => buffers.addressOf(place), {
      bindings: new Map(),
      seed: 0,
    });
    await this.#machine.turns.run(() => this.#machine.run(program, buffers.all));
  }

  async run(inputs: Values, options: RunOptions = {}): Promise<Record<string, Value>> {
    try {
      // Copies, so that what is checked cannot change, or be given away, while kernels read it.
      const given = mapValues(inputs, ({ data, shape }) => ({ data: copyOf(data), shape }));
      return await this.#machine.turns.run(() => this.#run(given, options));
    } catch (cause) {
      throw cause instanceof RangeError ? outOfMemory(cause) : cause; // as arrays say it
    }
  }

  dispose(): Promise<void> {
    return this.#machine.turns.run(async () => {
      this.#disposed = true;
      this.#arena = new ArrayBuffer(0);
      this.#constants = { layout: EMPTY, memory: new ArrayBuffer(0) };
    });
  }

  async #run(given: Values, { outputs = {}, seed, signal }: RunOptions) {
    if (this.#disposed) throw new ClozeError("DISPOSED", { problem: "the executable was disposed of" });
    const bindings = bindInputs(this.#graph, given, seed);
    checkOutputs(this.#graph, bindings, outputs);
    for (const data of Object.values(outputs)) keepHere(data);
    const values = this.#makeOutputs(bindings, outputs);
    const run = { bindings, seed: seed ?? 0 };
    const layout = layArena(this.#plan.calls, run);
    if (layout.bytes > this.#arena.byteLength) this.#arena = this.#machine.allocate(layout.bytes);
    const arena = { layout, memory: this.#arena };
    const buffers = new Buffers(this.#parameters, this.#constants, arena, given, values);
    const program = encode(this.#plan.calls, this.#machine.kernels, (place) => buffers.addressOf(place), run);
    const seconds = this.#onRun && new Float64Array(this.#plan.calls.length);
    await this.#machine.run(program, buffers.all, { seconds, signal });
    if (seconds !== undefined) {
      const bytesOf = (place: Place) => buffers.bytesOf(place, run);
      this.#onRun?.(this.#plan.calls.map((call, i) => timedCall(call, seconds[i], run, bytesOf)));
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

const EMPTY: Layout = { offsets: new Map(), bytes: 0 };

/**
 * What kernels read and write where it lies must not be given to another thread, which could free it in the middle of a
 * run: messages copy it from now on, or refuse to take it along.
 */
function keepHere({ buffer }: Float32Array): void {
  markAsUntransferable(buffer);
}

/** In float32, also of the reference's float64. */
function copyOf(data: Value["data"]): Float32Array | Int32Array {
  return data instanceof Int32Array ? new Int32Array(data) : new Float32Array(data);
}

type Values = Readonly<Record<string, Value>>;

interface Memory {
  readonly layout: Layout;
  readonly memory: ArrayBuffer;
}

/** The buffers of a run, each once, and where its places lie in them. */
class Buffers {
  readonly all: ArrayBufferLike[] = [];
  readonly #indices = new Map<ArrayBufferLike, number>();
  readonly #parameters: Parameters;
  readonly #kept: Readonly<Record<"arena" | "constant", Memory>>;
  readonly #given: Readonly<Record<"input" | "output", Values>>;

  constructor(parameters: Parameters, constant: Memory, arena: Memory, input: Values, output: Values) {
    this.#parameters = parameters;
    this.#kept = { arena, constant };
    this.#given = { input, output };
  }

  addressOf(place: Place): { buffer: number; offset: number } {
    if ("bytes" in place) {
      const { layout, memory } = this.#kept[place.kind];
      return { buffer: this.#indexOf(memory), offset: layout.offsets.get(place)! };
    }
    const data = this.#dataOf(place);
    return { buffer: this.#indexOf(data.buffer), offset: data.byteOffset };
  }

  bytesOf(place: Place, run: RunSizes): number {
    return "bytes" in place ? quantityIn(place.bytes, run) : this.#dataOf(place).byteLength;
  }

  #dataOf({ kind, name }: Extract<Place, { name: string }>): Value["data"] {
    return kind === "parameter" ? this.#parameters.get(name).data : this.#given[kind][name].data;
  }

  #indexOf(buffer: ArrayBufferLike): number {
    let index = this.#indices.get(buffer);
    if (index === undefined) {
      index = this.all.push(buffer) - 1;
      this.#indices.set(buffer, index);
    }
    return index;
  }
}
