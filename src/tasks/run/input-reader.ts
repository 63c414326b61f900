import type { z } from "zod";
import type { SkipCounts } from "./input-counts.ts";

/** Where inputs come from: texts as they are, the path of a file or, where it is undefined, standard input. */
export type InputSource = readonly string[] | string | undefined;

/** An input whose answer is not known, and what of it is to stand beside the answer. */
export interface Unanswered<Input> {
  readonly input: Input;
  readonly shown: object;
}

/** How a task's inputs are read where there are no answers. */
export interface InputReader<Input, Reading extends z.ZodObject = z.ZodObject> {
  /** Options of reading. */
  readonly reading: Reading;
  /** Reads inputs as they come; those that are empty are counted, or refused with TEXT_EMPTY. */
  read(source: InputSource, reading: z.infer<Reading>, counts: SkipCounts): AsyncIterable<Unanswered<Input>>;
}
