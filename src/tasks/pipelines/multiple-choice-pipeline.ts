import type { ChoiceModel, Choices } from "../definitions/multiple-choice.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { indexOfMax } from "../run/top-k.ts";

export interface ChoiceScores {
  /** The likeliest of the choices. */
  readonly choice: string;
  /** Its probability, 0 to 1. */
  readonly score: number;
  /** That of each choice, in the order in which they were given. */
  readonly scores: number[];
}

export type MultipleChoicePipeline = TaskPipeline<Choices, ChoiceScores>;

/** `await choose({ context: "She dropped the glass.", choices: ["It broke.", "It sang."] })` gives the first. */
export function multipleChoicePipeline(model: ChoiceModel): MultipleChoicePipeline {
  return makePipeline(
    async (inputs, { signal }) => {
      const { results, truncated } = await model.answer(inputs, { signal });
      return { results: results.map((row, i) => choiceScores(inputs[i], row)), truncated };
    },
    () => model.dispose(),
  );
}

/** What the probabilities of some choices say. */
export function choiceScores({ choices }: Choices, probabilities: Float32Array): ChoiceScores {
  const scores = Array.from(probabilities);
  const best = indexOfMax(scores);
  return { choice: choices[best], score: scores[best], scores };
}
