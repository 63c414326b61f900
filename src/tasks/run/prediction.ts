import type { z } from "zod";
import type { Control } from "./control.ts";
import { inputChunks } from "./input-chunks.ts";
import { InputCounts } from "./input-counts.ts";
import type { InputReader, InputSource } from "./input-reader.ts";
import { parseGiven, parseOptions } from "./parse-options.ts";
import type { Answers } from "./task-pipeline.ts";

/** A task that is done for input after input, whatever these are. */
export interface Prediction<OpenOptions> {
  /** Options of reading its inputs. */
  readonly reading: z.ZodObject;
  /** Options of answering them. */
  readonly settings: z.ZodObject;
  /** Opens model and inputs; `options` hold those of both schemas. Throws OPTION_INVALID and what opening throws. */
  open(folder: string, source: InputSource, options: OpenOptions & Pick<Control, "signal">): Promise<OpenPrediction>;
}

/** A model at work. */
export interface OpenPrediction {
  /** Each input and its answer in the form in which they are printed, some at a time, as the inputs come. */
  readonly answers: AsyncIterable<readonly object[]>;
  /** What became of the inputs so far. */
  readonly counts: Readonly<InputCounts>;
  readonly dispose: () => Promise<void>;
}

/** What answers the inputs of a task. */
export interface Answerer<Input> {
  answer(inputs: readonly Input[], control: Pick<Control, "signal">): Promise<Answers<object>>;
  dispose(): Promise<void>;
}

interface Parts<Input, Reading extends z.ZodObject, Settings extends z.ZodObject, OpenOptions> {
  readonly inputs: InputReader<Input, Reading>;
  readonly settings: Settings;
  /** `settings` are those that were given. */
  readonly open: (
    folder: string,
    options: OpenOptions,
    settings: Partial<z.infer<Settings>>,
  ) => Promise<Answerer<Input>>;
}

/** Makes one of how a task's inputs are read and answered. */
export function prediction<
  Input,
  Reading extends z.ZodObject,
  Settings extends z.ZodObject,
  OpenOptions extends object,
>({ inputs, settings, open }: Parts<Input, Reading, Settings, OpenOptions>): Prediction<OpenOptions> {
  return {
    reading: inputs.reading,
    settings,
    async open(folder, source, options) {
      const reading = parseOptions(inputs.reading, options);
      const answerer = await open(folder, options, parseGiven(settings, options));
      const counts = new InputCounts();
      const { signal } = options;
      async function* answers() {
        const answer = (chunk: readonly { readonly input: Input }[]) =>
          answerer.answer(
            chunk.map(({ input }) => input),
            { signal },
          );
        for await (const { chunk, result } of inputChunks(inputs.read(source, reading, counts), answer, counts)) {
          yield chunk.map(({ shown }, i) => ({ ...shown, ...result.results[i] }));
        }
      }
      return { answers: answers(), counts, dispose: () => answerer.dispose() };
    },
  };
}
