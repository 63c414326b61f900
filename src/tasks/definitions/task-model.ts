import type { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import { joinSequences, type Sequence } from "../../data/sequences.ts";
import type { Executor, Value } from "../../graph/executor.ts";
import type { ParameterSpec } from "../../graph/graph.ts";
import { makeGraph } from "../../graph/graph.ts";
import { type NamedParameters, Parameters } from "../../graph/parameters.ts";
import type { HeadOutputs } from "../../heads/head-outputs.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { LOSS_OF_LOGITS, lossOfLogits } from "../../train/loss-of-logits.ts";
import type { Evaluation } from "../../train/trainable.ts";
import type { Control } from "../run/control.ts";
import { Predictor, rowOf } from "../run/predictor.ts";
import type { Answers } from "../run/task-pipeline.ts";
import type { Example, Feature, HeadContext, Task, TaskContext } from "./task.ts";

/** Names and shapes of the weights that a task's model has. */
export function taskParameters<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  config: BertConfig,
  context: HeadContext<z.infer<S>>,
): readonly ParameterSpec[] {
  return makeGraph({ logits: task.head(config, context).logits }).parameters;
}

/** An example with what it becomes before a model sees it, whatever that model's weights are. */
export interface PreparedExample<Input, Gold> {
  readonly example: Example<Input, Gold>;
  readonly encodings: readonly Encoding[];
  /** None where there is nothing to learn from it. */
  readonly features: readonly Feature[];
  /** Whether it was too long and cut. */
  readonly truncated: boolean;
}

/** Makes examples ready to be trained on or measured by any number of times. Throws LABEL_UNKNOWN, TRUNCATION_IMPOSSIBLE. */
export function prepareExamples<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  examples: readonly Example<I, G>[],
  context: TaskContext<z.infer<S>>,
): PreparedExample<I, G>[] {
  return examples.map((example) => {
    const encodings = task.encode(example.input, context);
    const features = task.features(example, encodings, context);
    return { example, encodings, features, truncated: isCut(task, example.input, encodings, context) };
  });
}

export interface TaskModelParts<Settings> {
  readonly config: BertConfig;
  readonly parameters: NamedParameters;
  readonly context: TaskContext<Settings>;
}

/** What a model answered, and of each input whether it was too long and cut. */
export interface ModelAnswers<Answer> extends Answers<Answer> {
  readonly cut: readonly boolean[];
}

/** Settings that outweigh the model's own. */
interface Overruled<Settings> extends Control {
  readonly settings?: Partial<Settings>;
}

/** A model that does its task: inputs in, answers out. */
export class TaskModel<I, G, A, R extends z.ZodObject, S extends z.ZodObject> {
  readonly task: Task<I, G, A, R, S>;
  readonly context: TaskContext<z.infer<S>>;
  readonly #head: HeadOutputs;
  readonly #predictor: Predictor;
  readonly #executor: Executor;

  private constructor(
    task: Task<I, G, A, R, S>,
    context: TaskContext<z.infer<S>>,
    head: HeadOutputs,
    predictor: Predictor,
    executor: Executor,
  ) {
    this.task = task;
    this.context = context;
    this.#head = head;
    this.#predictor = predictor;
    this.#executor = executor;
  }

  /** `frozen`: the weights will not change, which lets the executor pack them. */
  static async load<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
    task: Task<I, G, A, R, S>,
    { config, parameters, context }: TaskModelParts<z.infer<S>>,
    executor: Executor,
    { frozen }: { readonly frozen: boolean },
  ): Promise<TaskModel<I, G, A, R, S>> {
    const head = task.head(withoutDropout(config), context);
    const predictor = await Predictor.load({ logits: head.logits }, parameters, executor, { frozen });
    return new TaskModel(task, context, head, predictor, executor);
  }

  /**
   * The answer to each input, whatever else is in the call. `settings` outweigh the model's own. Throws DISPOSED,
   * LOGITS_NOT_FINITE, TRUNCATION_IMPOSSIBLE and the signal's reason.
   */
  async answer(inputs: readonly I[], { settings, ...control }: Overruled<z.infer<S>> = {}): Promise<ModelAnswers<A>> {
    const context = this.#contextOf(settings);
    const encodings = inputs.map((input) => this.task.encode(input, context));
    const logits = await this.#logits(encodings.flat(), control);
    const results = this.#decoded(inputs, encodings, logits, context);
    const cut = inputs.map((input, i) => isCut(this.task, input, encodings[i], context));
    return { results, truncated: cut.filter(Boolean).length, cut };
  }

  /** The answers in the form in which they are printed. Throws as `answer` does. */
  async present(inputs: readonly I[], options: Overruled<z.infer<S>> = {}): Promise<Answers<object>> {
    const { results, truncated } = await this.answer(inputs, options);
    const context = this.#contextOf(options.settings);
    return { results: results.map((answer, i) => this.task.present(answer, inputs[i], context)), truncated };
  }

  /**
   * Figures over examples, with the mean loss, and how many of them were too long and cut. Throws LABEL_UNKNOWN and the
   * errors of `answer`.
   */
  evaluate(examples: readonly Example<I, G>[], options: Overruled<z.infer<S>> = {}): Promise<Measured> {
    return this.evaluatePrepared(prepareExamples(this.task, examples, this.#contextOf(options.settings)), options);
  }

  /** The same of examples that were prepared with the same settings, as training does after every epoch. */
  async evaluatePrepared(
    prepared: readonly PreparedExample<I, G>[],
    { settings, ...control }: Overruled<z.infer<S>> = {},
  ): Promise<Measured> {
    const context = this.#contextOf(settings);
    const examples = prepared.map(({ example }) => example);
    const encodings = prepared.map((example) => example.encodings);
    const sequences = encodings.flat();
    const logits = await this.#logits(sequences, control);
    const inputs = examples.map(({ input }) => input);
    const { score, metrics } = this.task.score(examples, this.#decoded(inputs, encodings, logits, context), context);
    const features = prepared.flatMap((example) => example.features);
    const bySequence = new Map<Sequence, Float32Array>(sequences.map((sequence, i) => [sequence, logits[i]]));
    const loss = features.length > 0 && { loss: await this.#meanLoss(features, bySequence, context) };
    const evaluation = { score, metrics: { examples: examples.length, ...loss, ...metrics } };
    return { evaluation, truncated: prepared.filter(({ truncated }) => truncated).length };
  }

  /** May be called again. */
  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }

  #contextOf(settings: Partial<z.infer<S>> | undefined): TaskContext<z.infer<S>> {
    return { ...this.context, settings: { ...this.context.settings, ...settings } };
  }

  #decoded(
    inputs: readonly I[],
    encodings: readonly (readonly Encoding[])[],
    logits: readonly Float32Array[],
    context: TaskContext<z.infer<S>>,
  ): A[] {
    let first = 0;
    return inputs.map((input, i) => {
      const own = logits.slice(first, first + encodings[i].length);
      first += encodings[i].length;
      return this.task.decode(input, encodings[i], own, context);
    });
  }

  /** The rows of logits that belong to each sequence. */
  async #logits(sequences: readonly Encoding[], control: Control): Promise<Float32Array[]> {
    const results: Float32Array[] = new Array(sequences.length);
    const ofTokens = this.#head.logits.shape[0] === "T";
    const read = ({ logits }: Readonly<Record<string, Value>>, batch: Int32Array) => {
      let token = 0;
      batch.forEach((i, row) => {
        const { length } = sequences[i];
        results[i] = Float32Array.from(ofTokens ? rowsOf(logits, token, length) : rowOf(logits, row));
        token += length;
      });
    };
    await this.#predictor.run(sequences, read, control);
    return results;
  }

  /** The loss that training lowers, without class weights, of logits that have been computed: it costs next to nothing. */
  async #meanLoss(
    features: readonly Feature[],
    logits: ReadonlyMap<Sequence, Float32Array>,
    context: TaskContext<z.infer<S>>,
  ): Promise<number> {
    const graph = lossOfLogits(this.#head);
    const executable = await this.#executor.load(graph, new Parameters(graph.parameters));
    try {
      let sum = 0;
      for (let start = 0; start < features.length; start += AT_ONCE) {
        const part = features.slice(start, start + AT_ONCE);
        const rows = part.flatMap(({ sequences, place }) =>
          sequences.map((sequence) => known(logits.get(sequence), place)),
        );
        const { loss } = await executable.run({
          ...joinSequences(part.flatMap(({ sequences }) => sequences)),
          ...this.task.targets(part, features, context),
          [LOSS_OF_LOGITS.input]: joined(rows, Number(this.#head.logits.shape[1])),
        });
        sum += loss.data[0];
      }
      return sum;
    } finally {
      await executable.dispose();
    }
  }
}

/** Features of one run of the loss: few enough for a small memory. */
const AT_ONCE = 1024;

function known(logits: Float32Array | undefined, place: string): Float32Array {
  if (logits !== undefined) return logits;
  throw new ClozeError("INTERNAL", { problem: `a feature of ${place} has a sequence that \`encode\` did not give` });
}

/** Matrices of as many columns, one below the other. */
function joined(matrices: readonly Float32Array[], columns: number): Value {
  const data = new Float32Array(matrices.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const matrix of matrices) {
    data.set(matrix, offset);
    offset += matrix.length;
  }
  return { data, shape: [data.length / columns, columns] };
}

/** Figures of a model, and how many inputs were too long and cut. */
export interface Measured {
  readonly evaluation: Evaluation;
  readonly truncated: number;
}

/** The model of a task. */
export type TaskModelOf<T> =
  T extends Task<infer I, infer G, infer A, infer R, infer S> ? TaskModel<I, G, A, R, S> : never;

function rowsOf({ data, shape: [, columns] }: Value, first: number, count: number): Value["data"] {
  return data.subarray(first * columns, (first + count) * columns);
}

/** Whether tokens of an input are in none of its sequences, or were left out before. */
function isCut<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  input: I,
  encodings: readonly Encoding[],
  context: TaskContext<z.infer<S>>,
): boolean {
  return wasCut(task, encodings) || (task.cuts?.(input, encodings, context) ?? false);
}

/** Whether tokens of an input are in none of its sequences. */
export function wasCut({ windowed = false }: { windowed?: boolean }, encodings: readonly Encoding[]): boolean {
  const inWindows = windowed && encodings.length > 1;
  return !inWindows && encodings.some(({ truncated }) => truncated);
}
