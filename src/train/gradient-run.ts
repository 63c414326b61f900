import { Random } from "../base/random.ts";
import { differentiate } from "../graph/differentiate.ts";
import type { Executable, Executor } from "../graph/executor.ts";
import { makeGraph } from "../graph/graph.ts";
import type { AnyTensor } from "../graph/operations.ts";
import { isNode } from "../graph/operations.ts";
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
    const tensors: Record<string, AnyTensor> = {};
    for (const node of makeGraph({ loss }).nodes) {
      if (isNode(node, "parameter")) tensors[node.attributes.name] = node.outputs[0]!;
    }
    const names = Object.keys(tensors);
    const gradients = differentiate(loss, Object.values(tensors));
    const graph = makeGraph({ loss, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]!])) });
    return new GradientRun(trainable, parameters.like(), await executor.load(graph, parameters));
  }

  /** Runs a batch in parts; returns its loss. `keys` seed its dropout. */
  async run(examples: readonly E[], parts: number, keys: readonly number[]): Promise<number> {
    const size = Math.ceil(examples.length / parts);
    let total = 0;
    for (let start = 0; start < examples.length; start += size) {
      if (start > 0) this.#addition ??= this.gradients.like();
      const target = start > 0 && this.#addition ? this.#addition : this.gradients;
      const inputs = this.#trainable.inputs(examples.slice(start, start + size), examples.length);
      const outputs = Object.fromEntries(target.views.map(({ spec, data }) => [spec.name, data]));
      const { loss } = await this.#executable.run(inputs, { outputs, seed: Random.of(...keys, start).uint32() });
      total += loss!.data[0]!;
      if (target !== this.gradients) accumulate(this.gradients.buffer, target.buffer);
    }
    return total;
  }

  async dispose() {
    await this.#executable.dispose();
  }
}
