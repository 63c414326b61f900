import { mapValues } from "../../base/map-values.ts";
import { Serial } from "../../base/serial.ts";
import { fillDropoutMask } from "../../graph/dropout-mask.ts";
import { disposedError, type Executable, type Executor, type RunOptions, type Value } from "../../graph/executor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Bindings, bindInputs, bindShape, checkOutputs } from "../../graph/inputs.ts";
import { type NamedParameters, numbersOf, requireParameters, sizeOf } from "../../graph/parameters.ts";
import { compileOnnx, type MaskInput, outputName } from "./compile.ts";
import type { OnnxSession, OnnxValue, OpenSession } from "./session.ts";

/** Runs graphs on ONNX Runtime, through whatever sessions the entry point opens. */
export function makeOnnxExecutor(name: string, openSession: OpenSession): Executor {
  return {
    name,
    async load(graph, parameters, { frozen = false } = {}) {
      requireParameters(graph.parameters, parameters);
      const fedParameters = frozen ? {} : parameterInputs(graph, parameters);
      const { bytes, masks } = compileOnnx(graph, frozen ? parameters : undefined);
      return new OnnxExecutable(graph, masks, await openSession(bytes), fedParameters);
    },
  };
}

class OnnxExecutable implements Executable {
  readonly #graph: Graph;
  readonly #masks: readonly MaskInput[];
  readonly #session: OnnxSession;
  readonly #fedParameters: Readonly<Record<string, OnnxValue>>;
  /** One buffer for all masks of a run, kept for the next run. */
  #maskBuffer = new Float32Array(0);
  /** The runs: they share the buffer of the masks, and a session that is on a thread is asked one thing at a time. */
  readonly #runs = new Serial();
  #disposed = false;

  constructor(
    graph: Graph,
    masks: readonly MaskInput[],
    session: OnnxSession,
    fedParameters: Readonly<Record<string, OnnxValue>>,
  ) {
    this.#graph = graph;
    this.#masks = masks;
    this.#session = session;
    this.#fedParameters = fedParameters;
  }

  async run(inputs: Readonly<Record<string, Value>>, options: RunOptions = {}): Promise<Record<string, Value>> {
    // Integers are copied, so that what is checked cannot change before the session reads it.
    const given = mapValues(inputs, ({ data, shape }) => ({
      data: data instanceof Int32Array ? data.slice() : data,
      shape,
    }));
    return this.#runs.run(() => this.#run(given, options));
  }

  dispose(): Promise<void> {
    return this.#runs.run(async () => {
      if (!this.#disposed) await this.#session.release();
      this.#disposed = true;
    });
  }

  async #run(inputs: Readonly<Record<string, Value>>, { outputs = {}, seed, signal }: RunOptions) {
    if (this.#disposed) throw disposedError();
    signal?.throwIfAborted();
    const bindings = bindInputs(this.#graph, inputs, seed);
    checkOutputs(this.#graph, bindings, outputs);
    const feeds: Record<string, OnnxValue> = { ...this.#fedParameters, ...this.#drawMasks(bindings, seed ?? 0) };
    for (const { name } of this.#graph.inputs) feeds[name] = toOnnx(inputs[name]);

    const fetches: Record<string, OnnxValue | null> = {};
    for (const [name, tensor] of Object.entries(this.#graph.outputs)) {
      const data = outputs[name];
      const dims = bindShape(tensor.shape, bindings);
      fetches[outputName(name)] = data ? { type: "float32", data, dims } : null;
    }

    const results = await this.#session.run(feeds, fetches);
    signal?.throwIfAborted();
    const values: Record<string, Value> = {};
    for (const name of Object.keys(this.#graph.outputs)) {
      const { data, dims } = results[outputName(name)];
      values[name] = { data: outputs[name] ?? data, shape: dims };
    }
    return values;
  }

  #drawMasks(bindings: Bindings, seed: number): Record<string, OnnxValue> {
    const shapes = this.#masks.map(({ shape }) => bindShape(shape, bindings));
    const sizes = shapes.map(sizeOf);
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total > this.#maskBuffer.length) this.#maskBuffer = new Float32Array(total);
    const values: Record<string, OnnxValue> = {};
    let offset = 0;
    this.#masks.forEach(({ name, site, rate }, i) => {
      const data = this.#maskBuffer.subarray(offset, offset + sizes[i]);
      fillDropoutMask(data, rate, seed, site);
      values[name] = { type: "float32", data, dims: shapes[i] };
      offset += sizes[i];
    });
    return values;
  }
}

function parameterInputs(graph: Graph, parameters: NamedParameters): Record<string, OnnxValue> {
  return Object.fromEntries(
    graph.parameters.map(({ name, shape }) => [
      name,
      { type: "float32", data: numbersOf(parameters, name), dims: shape },
    ]),
  );
}

function toOnnx({ data, shape }: Value): OnnxValue {
  if (data instanceof Int32Array) return { type: "int32", data, dims: shape };
  return { type: "float32", data: data instanceof Float32Array ? data : Float32Array.from(data), dims: shape };
}
