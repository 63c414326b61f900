import { ClozeError } from "../base/errors.ts";
import { type Choices, multipleChoice } from "../tasks/definitions/multiple-choice.ts";
import { readUnlabelledChoices } from "../tasks/readers/choices.node.ts";
import { parseOptions } from "../tasks/run/parse-options.ts";
import { abortOnInterrupt } from "./exit.ts";
import type { TextStream } from "./text-stream.ts";

/** Which columns of a table hold a context and its choices. */
export const choiceColumns = multipleChoice.reading.omit({ labelColumn: true });

export interface ChoiceSource {
  readonly input?: string;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly onEmpty: "refuse" | "skip";
}

/**
 * A context and its choices from the command line, or those of the table --input. Throws OPTION_INVALID where there are
 * neither.
 */
export function openChoices([context, ...choices]: readonly string[], options: ChoiceSource): TextStream<Choices> {
  const { input, onEmpty } = options;
  const counts = { texts: 0, skipped: 0, truncated: 0 };
  if (options.textColumn !== undefined || options.pairColumn !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the task multiple-choice has no --text-column and no --pair-column",
      cure: "Use --context-column, --start-column and --choice-columns.",
    });
  }
  const signal = abortOnInterrupt();
  if (input !== undefined) {
    const reading = { ...parseOptions(choiceColumns, options), onEmpty };
    return { inputs: readUnlabelledChoices(input, reading, counts), counts, signal };
  }
  if (choices.length > 1) return { inputs: only({ context, choices }), counts, signal };
  throw new ClozeError("OPTION_INVALID", {
    problem: "the task multiple-choice is about a context and its choices",
    expected: "a context and two choices or more, or --input with a table",
  });
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}
