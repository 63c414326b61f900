import type { z } from "zod";
import type { BertConfig } from "../../bert/config.ts";
import { joinSequences, type Sequence } from "../../data/sequences.ts";
import type { Value } from "../../graph/executor.ts";
import type { HeadOutputs } from "../../heads/head-outputs.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import type { Evaluation, Trainable } from "../../train/trainable.ts";

/** An input with what a model is to answer, and where both stand, for messages: "train.tsv, line 7". */
export interface Example<Input, Gold> {
  readonly input: Input;
  readonly gold: Gold;
  readonly place: string;
  /** Names those that it belongs together with, such as the questions about a text: no fold divides them. Default: itself. */
  readonly group?: string;
}

/** The examples of a file. */
export interface Examples<Input, Gold> {
  readonly file: string;
  readonly examples: readonly Example<Input, Gold>[];
  /** How many were left out, by reason: "without text or label". */
  readonly skipped: Readonly<Record<string, number>>;
  /** What was read all the same and is to be told, and how often: "out of IOB2's order". */
  readonly notes?: Readonly<Record<string, number>>;
  /** Where that stood, by the same names, if the reader says so. */
  readonly places?: Readonly<Record<string, readonly string[]>>;
  /** The labels in their usual order, where the format has one. */
  readonly labels?: readonly string[];
  /** The figure that models are compared by, where the format has one. */
  readonly metric?: string;
}

/** What an input becomes tokens by, and an answer is read by. */
export interface TaskContext<Settings> {
  readonly tokenizer: BertTokenizer;
  /** Names of what the head tells apart, in the order of its outputs; empty where the task has no labels. */
  readonly labels: readonly string[];
  /** Tokens of a sequence at most, special ones included. */
  readonly maxLength: number;
  readonly settings: Settings;
}

/** What training looks at as one: the sequences of a judgement, and the numbers that the head is to find for them. */
export interface Feature {
  /** Of those that `encode` gave, the very same objects. */
  readonly sequences: readonly Sequence[];
  readonly target: Int32Array | Float32Array;
  readonly place: string;
  /** How much it counts in the loss, 1 if left out. */
  readonly weight?: number;
  /** How much each number of the target counts in it, 1 if left out. */
  readonly weights?: Float32Array;
}

/** Tokens of a sequence at most where neither the user nor the task says how many. */
export const DEFAULT_MAX_LENGTH = 128;

/**
 * A task that BERT is fine-tuned for: how an input becomes sequences, which head reads them, with which loss, and how the
 * head's numbers become an answer and figures. Reading its files is the task table's part, so that all of this runs in a
 * browser too.
 */
export interface Task<
  Input,
  Gold,
  Answer,
  Reading extends z.ZodObject = z.ZodObject,
  Settings extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  /** What model hubs call it, if otherwise. */
  readonly hubTag?: string;
  /** What it does, for --help. */
  readonly summary: string;
  /** What follows `cloze finetune` in an example. */
  readonly example: string;
  /** What follows `cloze predict DIR` in an example with a model of such settings. */
  usage(settings: z.infer<Settings>): string;
  /** The Hugging Face class of its models, and its problem type where that class has several. */
  readonly architecture: string;
  readonly problemType?: string;
  /** Tokens of a sequence at most where `maxLength` is not given. Default: {@link DEFAULT_MAX_LENGTH}. */
  readonly defaultMaxLength?: number;
  /** Whether several sequences of an input are windows over it, which together leave nothing out. */
  readonly windowed?: boolean;
  /** Options of reading its files. */
  readonly reading: Reading;
  /** Options of a model, which its folder keeps; an answer may be asked for with others. */
  readonly settings: Settings;
  /** What training data decides of the settings. */
  settle?(data: Examples<Input, Gold>, settings: z.infer<Settings>): z.infer<Settings>;
  /** The labels that training data has. Throws LABELS_TOO_FEW. */
  labels?(data: Examples<Input, Gold>, settings: z.infer<Settings>): readonly string[];
  /** The logits have a row for each sequence [B, .] or for each token [T, .]. */
  head(config: BertConfig, context: HeadContext<z.infer<Settings>>): HeadOutputs;
  /** The sequences of an input: one, or windows over a long text, or choices. Throws TRUNCATION_IMPOSSIBLE. */
  encode(input: Input, context: TaskContext<z.infer<Settings>>): readonly Encoding[];
  /** Whether `encode` leaves out tokens of an input by a setting of its own, which its sequences do not tell. */
  cuts?(input: Input, encodings: readonly Encoding[], context: TaskContext<z.infer<Settings>>): boolean;
  /** What there is to learn from an example; where there is nothing, training leaves it out and says so. Throws LABEL_UNKNOWN. */
  features(
    example: Example<Input, Gold>,
    encodings: readonly Encoding[],
    context: TaskContext<z.infer<Settings>>,
  ): readonly Feature[];
  /** Weighs all that there is to learn from. Throws OPTION_INVALID. */
  weigh?(features: readonly Feature[], context: HeadContext<z.infer<Settings>>): readonly Feature[];
  /** Inputs of the loss, beside the tokens; weights are those of the whole batch, so that its parts add up. */
  targets(
    part: readonly Feature[],
    batch: readonly Feature[],
    context: HeadContext<z.infer<Settings>>,
  ): Record<string, Value>;
  /** The answer from the logits of each sequence, row after row. */
  decode(
    input: Input,
    encodings: readonly Encoding[],
    logits: readonly Float32Array[],
    context: TaskContext<z.infer<Settings>>,
  ): Answer;
  /** An answer in the form in which it is printed. */
  present(answer: Answer, input: Input, context: HeadContext<z.infer<Settings>>): object;
  /** Figures of answers to examples; the score chooses the best epoch. */
  score(
    examples: readonly Example<Input, Gold>[],
    answers: readonly Answer[],
    context: HeadContext<z.infer<Settings>>,
  ): Evaluation;
  /** The settings of the finished model, by the figures of its best epoch: a threshold that was found, say. */
  conclude?(settings: z.infer<Settings>, metrics: Readonly<Record<string, unknown>>): z.infer<Settings>;
}

/** What head and figures go by. */
export type HeadContext<Settings> = Pick<TaskContext<Settings>, "labels" | "settings">;

/** Fine-tuning for a task, as the training loop sees it. */
export function trainableOf<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  config: BertConfig,
  context: HeadContext<z.infer<S>>,
): Trainable<Feature> {
  return {
    loss: task.head(config, context).loss,
    length: ({ sequences }) => sequences.reduce((sum, { ids }) => sum + ids.length, 0),
    nameOf: ({ place }) => place,
    inputs: (part, batch) => ({
      ...joinSequences(part.flatMap(({ sequences }) => sequences)),
      ...task.targets(part, batch, context),
    }),
  };
}
