import { ClozeError } from "../../base/errors.ts";
import { type Choices, multipleChoice } from "../definitions/multiple-choice.ts";
import { onEmpty } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import { readUnlabelledChoices } from "./choices.node.ts";

const reading = multipleChoice.reading.omit({ labelColumn: true }).extend({ onEmpty });

/** A context and its choices: one from the command line, or those of a table. Throws OPTION_INVALID where there are neither. */
export const choiceInputs = {
  reading,
  async *read(source, options, counts) {
    if (source === undefined || (typeof source === "object" && source.length < 3)) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "the task multiple-choice is about a context and its choices",
        expected: "a context and two choices or more, or --input with a table",
      });
    }
    for await (const input of readUnlabelledChoices(source, options, counts)) yield { input, shown: input };
  },
} satisfies InputReader<Choices, typeof reading>;
