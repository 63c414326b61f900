import { ClozeError } from "../base/errors.ts";
import type { Graph } from "./graph.ts";
import type { NamedParameters } from "./parameters.ts";

/** Numbers with a shape, row by row. The reference executor also takes and gives float64. */
export interface Value {
  readonly data: Float32Array | Float64Array | Int32Array;
  readonly shape: readonly number[];
}

/** What one call of a kernel took. */
export interface TimedCall {
  readonly kernel: string;
  /** What the kernel is for: `products`, `attention` ... */
  readonly family: string;
  readonly seconds: number;
  /** Floating-point operations, two a multiply-add; those of products only, attention's as if all sequences were longest. */
  readonly flop: number;
  /** Bytes read and written, each argument once; what a kernel reads again, or keeps for itself, is not among them. */
  readonly bytes: number;
}

export interface RunOptions {
  /** Buffers that named outputs are written into, instead of new ones; not to be read or written until the run ends. */
  readonly outputs?: Readonly<Record<string, Float32Array>>;
  /** Seed of this run's dropout masks, of 32 bits without a sign; a graph with dropout needs one. */
  readonly seed?: number;
  /** Told at the end what each call of a kernel took, by executors that know. */
  readonly onCalls?: (calls: readonly TimedCall[]) => void;
  /**
   * Stops the run, which rejects with the signal's reason: one that waits for its turn when that comes, one that computes
   * as soon as the executor can. What `outputs` hold is undefined then.
   */
  readonly signal?: AbortSignal;
}

/** A graph made ready to run. Runs of one executable are made one after another, in the order of the calls. */
export interface Executable {
  /**
   * Values of all outputs by name. Floats among the inputs must not change until the run ends. Throws the errors of
   * `bindInputs` before anything is computed.
   */
  run(inputs: Readonly<Record<string, Value>>, options?: RunOptions): Promise<Record<string, Value>>;
  /** When all runs before it have ended; those behind it are DISPOSED. May be called again. */
  dispose(): Promise<void>;
}

export interface LoadOptions {
  /** The parameters will not change while the executable lives: it may copy, pack and fuse them. */
  readonly frozen?: boolean;
}

/**
 * What runs graphs. An executor takes a graph and the parameters that it reads (a view: unless frozen, a run sees their
 * values of that moment) and knows nothing of BERT.
 */
export interface Executor {
  readonly name: string;
  load(graph: Graph, parameters: NamedParameters, options?: LoadOptions): Promise<Executable>;
}

/** What a run throws behind `dispose`. */
export function disposedError(): ClozeError {
  return new ClozeError("DISPOSED", { problem: "the executable was disposed of" });
}

/** A one-dimensional value. */
export function vector(data: Float32Array | Int32Array): Value {
  return { data, shape: [data.length] };
}
