import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import type { Examples } from "./task.ts";

/** A setting of tasks of texts or pairs, which training data decides; folders of others do not say it. */
export const textOrPairs = {
  trainedOnPairs: z
    .boolean()
    .optional()
    .describe("whether the model was trained on pairs of texts")
    .meta({ onlyFor: "the folder" }),
};

export type TextOrPairs = z.infer<z.ZodObject<typeof textOrPairs>>;

/** The settings of a model that is trained on such examples. */
export function withPairs<S extends TextOrPairs>({ examples }: Examples<TextInput, unknown>, settings: S): S {
  return { ...settings, trainedOnPairs: examples.some(({ input }) => input.pair !== undefined) };
}

/** What follows `cloze predict DIR` in an example. */
export function textUsage({ trainedOnPairs }: TextOrPairs): string {
  return trainedOnPairs ? '--pairs "some text" "another text"' : '"some text"';
}

/** A model that learnt from pairs makes nothing of their halves, nor the other way round. Throws OPTION_INVALID. */
export function requirePairs({ pair }: TextInput, { trainedOnPairs }: TextOrPairs): void {
  if (trainedOnPairs === undefined || trainedOnPairs === (pair !== undefined)) return;
  const [problem, received] = ["the model was trained on pairs of texts", "a single text"];
  if (trainedOnPairs) {
    const expected = "--pairs with texts of the command line, --pair-column with a file, text_pair in a program";
    throw new ClozeError("OPTION_INVALID", { problem, expected, received });
  }
  throw new ClozeError("OPTION_INVALID", {
    problem: "the model was trained on single texts",
    expected: "one text at a time",
    received: "a pair",
    cure: "Leave out --pairs, --pair-column or text_pair, or train a model of pairs.",
  });
}
