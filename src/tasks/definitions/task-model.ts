import type { z } from "zod";
import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import type { Executor, Value } from "../../graph/executor.ts";
import type { ParameterSpec } from "../../graph/graph.ts";
import { makeGraph } from "../../graph/graph.ts";
import type { Parameters } from "../../graph/parameters.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { Evaluation } from "../../train/trainable.ts";
import type { Control } from "../run/control.ts";
import { Predictor, rowOf } from "../run/predictor.ts";
import type { Answers } from "../run/task-pipeline.ts";
import type { Example, HeadContext, Task, TaskContext } from "./task.ts";

/** Names and shapes of the weights that a task's model has. */
export function taskParameters<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  config: BertConfig,
  context: HeadContext<z.infer<S>>,
): readonly ParameterSpec[] {
  return makeGraph({ logits: task.head(config, context).logits }).parameters;
}

export interface TaskModelParts<Settings> {
  readonly config: BertConfig;
  readonly parameters: Parameters;
  readonly context: TaskContext<Settings>;
}

/** A model that does its task: inputs in, answers out. */
export class TaskModel<I, G, A, R extends z.ZodObject, S extends z.ZodObject> {
  readonly task: Task<I, G, A, R, S>;
  readonly context: TaskContext<z.infer<S>>;
  readonly #predictor: Predictor;
  readonly #rows: Rows;

  private constructor(task: Task<I, G, A, R, S>, context: TaskContext<z.infer<S>>, predictor: Predictor, rows: Rows) {
    this.task = task;
    this.context = context;
    this.#predictor = predictor;
    this.#rows = rows;
  }

  /** `frozen`: the weights will not change, which lets the executor pack them. */
  static async load<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
    task: Task<I, G, A, R, S>,
    { config, parameters, context }: TaskModelParts<z.infer<S>>,
    executor: Executor,
    { frozen }: { readonly frozen: boolean },
  ): Promise<TaskModel<I, G, A, R, S>> {
    const { logits } = task.head(withoutDropout(config), context);
    const predictor = await Predictor.load({ logits }, parameters, executor, { frozen });
    return new TaskModel(task, context, predictor, logits.shape[0] === "T" ? "tokens" : "sequences");
  }

  /**
   * The answer to each input, whatever else is in the call. `settings` outweigh the model's own. Throws DISPOSED,
   * LOGITS_NOT_FINITE, TRUNCATION_IMPOSSIBLE and the signal's reason.
   */
  async answer(
    inputs: readonly I[],
    { settings, ...control }: Control & { readonly settings?: Partial<z.infer<S>> } = {},
  ): Promise<Answers<A>> {
    const context = { ...this.context, settings: { ...this.context.settings, ...settings } };
    const encodings = inputs.map((input) => this.task.encode(input, context));
    return this.#decoded(inputs, encodings, context, control);
  }

  /** Figures over examples, and how many of them were too long and cut. Throws LABEL_UNKNOWN and the errors of `answer`. */
  async evaluate(
    examples: readonly Example<I, G>[],
    { settings, ...control }: Control & { readonly settings?: Partial<z.infer<S>> } = {},
  ): Promise<{ readonly evaluation: Evaluation; readonly truncated: number }> {
    const context = { ...this.context, settings: { ...this.context.settings, ...settings } };
    const encodings = examples.map((example) => {
      const encoded = this.task.encode(example.input, context);
      this.task.features(example, encoded, context); // complains of wrong examples before the work is done
      return encoded;
    });
    const inputs = examples.map(({ input }) => input);
    const { results, truncated } = await this.#decoded(inputs, encodings, context, control);
    return { evaluation: this.task.score(examples, results, context), truncated };
  }

  /** May be called again. */
  async dispose(): Promise<void> {
    await this.#predictor.dispose();
  }

  async #decoded(
    inputs: readonly I[],
    encodings: readonly (readonly Encoding[])[],
    context: TaskContext<z.infer<S>>,
    control: Control = {},
  ): Promise<Answers<A>> {
    const logits = await this.#logits(encodings.flat(), control);
    let first = 0;
    const results = inputs.map((input, i) => {
      const own = logits.slice(first, first + encodings[i].length);
      first += encodings[i].length;
      return this.task.decode(input, encodings[i], own, context);
    });
    return { results, truncated: encodings.filter((own) => wasCut(this.task, own)).length };
  }

  /** The rows of logits that belong to each sequence. */
  async #logits(sequences: readonly Encoding[], control: Control): Promise<Float32Array[]> {
    const results: Float32Array[] = new Array(sequences.length);
    const read = ({ logits }: Readonly<Record<string, Value>>, batch: Int32Array) => {
      let token = 0;
      batch.forEach((i, row) => {
        const { length } = sequences[i];
        results[i] = Float32Array.from(this.#rows === "tokens" ? rowsOf(logits, token, length) : rowOf(logits, row));
        token += length;
      });
    };
    await this.#predictor.run(sequences, read, control);
    return results;
  }
}

/** The model of a task. */
export type TaskModelOf<T> =
  T extends Task<infer I, infer G, infer A, infer R, infer S> ? TaskModel<I, G, A, R, S> : never;

/** What a row of the logits belongs to. */
type Rows = "sequences" | "tokens";

function rowsOf({ data, shape: [, columns] }: Value, first: number, count: number): Value["data"] {
  return data.subarray(first * columns, (first + count) * columns);
}

/** Whether tokens of an input are in none of its sequences. */
export function wasCut({ windowed = false }: { windowed?: boolean }, encodings: readonly Encoding[]): boolean {
  const inWindows = windowed && encodings.length > 1;
  return !inWindows && encodings.some(({ truncated }) => truncated);
}
