import { type ChoiceModel, type ChoiceScores, type Choices, multipleChoice } from "../definitions/multiple-choice.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";

export type MultipleChoicePipeline = TaskPipeline<Choices, ChoiceScores>;

/** `await choose({ context: "She dropped the glass.", choices: ["It broke.", "It sang."] })` gives the first. */
export function multipleChoicePipeline(model: ChoiceModel): MultipleChoicePipeline {
  return makePipeline(
    async (inputs, { signal }) => {
      const { results, truncated } = await model.answer(inputs, { signal });
      return { results: results.map((row, i) => multipleChoice.present(row, inputs[i])), truncated };
    },
    () => model.dispose(),
  );
}
