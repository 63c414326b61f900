import { Random } from "../base/random.ts";
import { parameterGradients } from "../graph/differentiate.ts";
import type { Executable, Executor } from "../graph/executor.ts";
import { makeGraph } from "../graph/graph.ts";
import type { Parameters } from "../graph/parameters.ts";
import { accumulate } from "../optim/gradients.ts";
import type { Trainable } from "./trainable.ts";

/** The scalars of a batch: its loss and whatever the trainable reports beside it. */
export interface BatchResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The loss of a batch and its gradient, which every run writes into the same flat buffer. */
export class GradientRun<E> {
  readonly gradients: Parameters;
  readonly #trainable: Trainable<E>;
  /** Parameters whose gradients are computed; those of the others stay 0. */
  readonly #computed: ReadonlySet<string>;
  readonly #executable: Executable;
  /** Where the parts of a batch after its first are written before they are added. */
  #addition: Parameters | undefined;

  private constructor(
    trainable: Trainable<E>,
    gradients: Parameters,
    computed: ReadonlySet<string>,
    executable: Executable,
  ) {
    this.#trainable = trainable;
    this.gradients = gradients;
    this.#computed = computed;
    this.#executable = executable;
  }

  /** Differentiates the loss with respect to the parameters that are to change and loads the result. */
  static async load<E>(
    trainable: Trainable<E>,
    parameters: Parameters,
    executor: Executor,
    { changes, recompute }: { readonly changes: (name: string) => boolean; readonly recompute?: boolean },
  ): Promise<GradientRun<E>> {
    const { loss, metrics } = trainable;
    const gradients = Object.entries(parameterGradients(loss, { recompute })).filter(([name]) => changes(name));
    const graph = makeGraph({ loss, ...metrics, ...Object.fromEntries(gradients) });
    const names = new Set(gradients.map(([name]) => name));
    return new GradientRun(trainable, parameters.like(), names, await executor.load(graph, parameters));
  }

  /** Runs a batch in parts. `keys` seed its dropout. Throws the signal's reason. */
  async run(
    batch: readonly E[],
    parts: number,
    keys: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<BatchResult> {
    const size = Math.ceil(batch.length / parts);
    const names = Object.keys(this.#trainable.metrics ?? {});
    const metrics = Object.fromEntries(names.map((name) => [name, 0]));
    let loss = 0;
    for (let start = 0; start < batch.length; start += size) {
      const target = start === 0 ? this.gradients : this.#additionTarget();
      const inputs = this.#trainable.inputs(batch.slice(start, start + size), batch);
      const computed = target.views.filter(({ spec }) => this.#computed.has(spec.name));
      const outputs = Object.fromEntries(computed.map(({ spec, data }) => [spec.name, data]));
      const seed = Random.of(...keys, start).uint32();
      const values = await this.#executable.run(inputs, { outputs, seed, signal });
      loss += values.loss.data[0];
      for (const name of names) metrics[name] += values[name].data[0];
      if (target !== this.gradients) accumulate(this.gradients.buffer, target.buffer);
    }
    return { loss, metrics };
  }

  #additionTarget(): Parameters {
    this.#addition ??= this.gradients.like();
    return this.#addition;
  }

  async dispose() {
    await this.#executable.dispose();
  }
}
