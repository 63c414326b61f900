import type { Regressor } from "../definitions/regression.ts";
import { makePipeline, type TaskPipeline } from "../run/task-pipeline.ts";
import { requirePair, type SentencePair, TEXT_FORMS } from "../run/text-or-pair.ts";

/** How similar two texts are, in the unit that the model was trained with: 0 to 5 for STS-B. */
export type SentenceSimilarityPipeline = TaskPipeline<SentencePair, number>;

/** `await similarity({ text: "A man sings.", text_pair: "A man is singing." })` gives `4.9`. */
export function sentenceSimilarityPipeline(model: Regressor): SentenceSimilarityPipeline {
  return makePipeline(
    { ...TEXT_FORMS.pair, options: {} },
    async (pairs, { signal }) => {
      pairs.forEach(requirePair);
      return model.answer(
        pairs.map(({ text, text_pair: pair }) => ({ text, pair })),
        { signal },
      );
    },
    () => model.dispose(),
  );
}
