import { Random } from "../base/random.ts";
import { parameterGradients } from "../graph/differentiate.ts";
import type { Executable, Executor } from "../graph/executor.ts";
import { makeGraph } from "../graph/graph.ts";
import type { Parameters } from "../graph/parameters.ts";
import { accumulate } from "../optim/gradients.ts";
import type { Trainable } from "./trainable.ts";

/** The loss of a batch and its gradient, which every run writes into the same flat buffer. */
export class GradientRun<E> {
  readonly gradients: Parameters;
  readonly #trainable: Trainable<E>;
  readonly #executable: Executable;
  /** Where the parts of a batch after its first are written before they are added. */
  #addition: Parameters | undefined;

  private constructor(trainable: Trainable<E>, gradients: Parameters, executable: Executable) {
    this.#trainable = trainable;
    this.gradients = gradients;
    this.#executable = executable;
  }

  /** Differentiates the loss with respect to all parameters and loads the result. */
  static async load<E>(trainable: Trainable<E>, parameters: Parameters, executor: Executor): Promise<GradientRun<E>> {
    const { loss } = trainable;
    const graph = makeGraph({ loss, ...parameterGradients(loss) });
    return new GradientRun(trainable, parameters.like(), await executor.load(graph, parameters));
  }

  /** Runs a batch in parts; returns its loss. `keys` seed its dropout. */
  async run(examples: readonly E[], parts: number, keys: readonly number[]): Promise<number> {
    const size = Math.ceil(examples.length / parts);
    let total = 0;
    for (let start = 0; start < examples.length; start += size) {
      const target = start === 0 ? this.gradients : this.#additionTarget();
      const inputs = this.#trainable.inputs(examples.slice(start, start + size), examples.length);
      const outputs = Object.fromEntries(target.views.map(({ spec, data }) => [spec.name, data]));
      const { loss } = await this.#executable.run(inputs, { outputs, seed: Random.of(...keys, start).uint32() });
      total += loss!.data[0];
      if (target !== this.gradients) accumulate(this.gradients.buffer, target.buffer);
    }
    return total;
  }

  #additionTarget(): Parameters {
    this.#addition ??= this.gradients.like();
    return this.#addition;
  }

  async dispose() {
    await this.#executable.dispose();
  }
}
