import { z } from "zod";
import { type ChoiceModel, type ChoiceScores, type Choices, multipleChoice } from "../definitions/multiple-choice.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { requireText } from "../run/text-or-pair.ts";

export type MultipleChoicePipeline = TaskPipeline<Choices, ChoiceScores>;

const FORM = {
  input: z.strictObject({ context: z.string(), start: z.string().optional(), choices: z.array(z.string()) }),
  called: "{ context, choices }, and maybe { start }",
  options: {},
};

/** `await choose({ context: "She dropped the glass.", choices: ["It broke.", "It sang."] })` gives the first. */
export function multipleChoicePipeline(model: ChoiceModel): MultipleChoicePipeline {
  return makePipeline(
    FORM,
    async (inputs, { signal }) => {
      for (const { context, choices } of inputs) {
        requireText("a context", context);
        for (const choice of choices) requireText("a choice", choice);
      }
      const { results, truncated } = await model.answer(inputs, { signal });
      return { results: results.map((row, i) => multipleChoice.present(row, inputs[i])), truncated };
    },
    () => model.dispose(),
  );
}
