import { ClozeError } from "../base/errors.ts";
import type { Executor } from "../graph/executor.ts";
import type { Parameters } from "../graph/parameters.ts";
import { clipScale } from "../optim/gradients.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { type BatchResult, GradientRun } from "./gradient-run.ts";
import type { Trainable } from "./trainable.ts";

export interface UpdateOptions {
  /** Parts that a batch is run in, one after another: the same update in less memory. */
  readonly accumulate: number;
  /** Largest global norm of the gradient. */
  readonly clipNorm: number;
  /** Dropout is a function of it and of the step. */
  readonly seed: number;
  /** Compute activations again in the backward pass: the same update in less memory and more time. Default: keep them. */
  readonly recompute?: boolean;
}

/** What a training changes. */
export interface Model {
  readonly parameters: Parameters;
  readonly optimizer: Optimizer;
  /** A parameter's learning rate as a multiple of the step's: at 0 its gradient is not computed. Default: 1 for all. */
  readonly rateOf?: (name: string) => number;
}

export interface Update extends BatchResult {
  /** Before clipping. */
  readonly gradientNorm: number;
  /** Tokens of the batch. */
  readonly tokens: number;
}

/** Examples that an error names; a batch of pre-training has thousands. */
const NAMED = 3;

/** Makes a model's updates: the gradient of a batch, clipped by its global norm, and a step of the optimizer. */
export class Updater<E> {
  readonly #trainable: Trainable<E>;
  readonly #model: Model;
  readonly #options: UpdateOptions;
  readonly #run: GradientRun<E>;

  private constructor(trainable: Trainable<E>, model: Model, options: UpdateOptions, run: GradientRun<E>) {
    this.#trainable = trainable;
    this.#model = model;
    this.#options = options;
    this.#run = run;
  }

  static async load<E>(
    trainable: Trainable<E>,
    model: Model,
    executor: Executor,
    options: UpdateOptions,
  ): Promise<Updater<E>> {
    const { parameters, rateOf = () => 1 } = model;
    const changes = (name: string) => rateOf(name) !== 0;
    const run = await GradientRun.load(trainable, parameters, executor, { changes, recompute: options.recompute });
    return new Updater(trainable, model, options, run);
  }

  /** The update number `step`, from 0. Throws LOSS_NOT_FINITE and the signal's reason, with the model as it was. */
  async update(batch: readonly E[], step: number, learningRate: number, signal?: AbortSignal): Promise<Update> {
    const { accumulate, clipNorm, seed } = this.#options;
    const result = await this.#run.run(batch, accumulate, [seed, step], signal);
    const gradients = this.#run.gradients.buffer;
    const { parameters, optimizer } = this.#model;
    const gradientNorm = await optimizer.norm(gradients);
    if (!Number.isFinite(result.loss) || !Number.isFinite(gradientNorm)) {
      throw new ClozeError("LOSS_NOT_FINITE", {
        problem: `training broke down at step ${step + 1}, learning rate ${learningRate.toPrecision(3)}`,
        expected: "a finite loss and gradient",
        received: `loss ${result.loss}, gradient norm ${gradientNorm} on the batch of ${this.#namesOf(batch)}`,
        cure: "Lower --learning-rate or lengthen the warm-up; the last checkpoint is as it was.",
      });
    }
    const gradientScale = clipScale(gradientNorm, clipNorm);
    await optimizer.step(parameters.buffer, gradients, { learningRate, gradientScale }); // which no signal stops half-way
    const tokens = batch.reduce((sum, example) => sum + this.#trainable.length(example), 0);
    return { ...result, gradientNorm, tokens };
  }

  #namesOf(batch: readonly E[]): string {
    const names = batch.slice(0, NAMED).map((example) => this.#trainable.nameOf(example));
    if (batch.length > NAMED) names.push(`${batch.length - NAMED} more`);
    return names.join(" and ");
  }

  async dispose(): Promise<void> {
    await this.#run.dispose();
  }
}
