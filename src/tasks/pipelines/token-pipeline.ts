import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import {
  AGGREGATION_STRATEGIES,
  type AggregationStrategy,
  type EntityGroup,
  findEntities,
  type GroupingStrategy,
  judgedText,
  type TokenEntity,
} from "../definitions/entity-aggregation.ts";
import type { TokenClassifier } from "../definitions/token-classification.ts";
import type { CallForm } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { answerCall } from "../run/task-pipeline.ts";
import { requireText } from "../run/text-or-pair.ts";

/** A text, or its words where they are known beforehand. (An array is a list of texts.) */
export type TokenInput = string | { readonly words: readonly string[] };

export interface TokenOptions {
  /** What to give: each token by itself, which is the default, or entities of whole words. */
  readonly aggregation_strategy?: AggregationStrategy;
  /** Labels to leave out, of entities their types. Default "O" alone. */
  readonly ignore_labels?: readonly string[];
  /** Tokens that windows over a text have in common, if the text is longer than the model takes. Default: as trained. */
  readonly stride?: number;
}

type Tokens = Control & TokenOptions & { readonly aggregation_strategy?: "none" };
type Groups = Control & TokenOptions & { readonly aggregation_strategy: GroupingStrategy };
type Either = Control & TokenOptions;

/** The tokens or entities of a text, or of each of a list of texts, in the shapes of Hugging Face. */
export interface TokenClassificationPipeline {
  (input: TokenInput, options?: Tokens): Promise<TokenEntity[]>;
  (inputs: readonly TokenInput[], options?: Tokens): Promise<TokenEntity[][]>;
  (input: TokenInput, options: Groups): Promise<EntityGroup[]>;
  (inputs: readonly TokenInput[], options: Groups): Promise<EntityGroup[][]>;
  (input: TokenInput, options: Either): Promise<TokenEntity[] | EntityGroup[]>;
  (inputs: readonly TokenInput[], options: Either): Promise<TokenEntity[][] | EntityGroup[][]>;
  readonly labels: readonly string[];
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

const FORM: CallForm<TokenOptions> = {
  input: z.union([z.string(), z.strictObject({ words: z.array(z.string()) })]),
  called: "a text or { words }",
  options: { aggregation_strategy: true, ignore_labels: true, stride: true },
};

/**
 *     const find = tokenClassificationPipeline(classifier);
 *     await find("Ada Lovelace wrote it.", { aggregation_strategy: "simple" });
 *     // [{ entity_group: "PER", score: 0.99, word: "Ada Lovelace", start: 0, end: 12 }]
 */
export function tokenClassificationPipeline(classifier: TokenClassifier): TokenClassificationPipeline {
  function find(input: TokenInput, options?: Tokens): Promise<TokenEntity[]>;
  function find(inputs: readonly TokenInput[], options?: Tokens): Promise<TokenEntity[][]>;
  function find(input: TokenInput, options: Groups): Promise<EntityGroup[]>;
  function find(inputs: readonly TokenInput[], options: Groups): Promise<EntityGroup[][]>;
  function find(input: TokenInput, options: Either): Promise<TokenEntity[] | EntityGroup[]>;
  function find(inputs: readonly TokenInput[], options: Either): Promise<TokenEntity[][] | EntityGroup[][]>;
  async function find(input: TokenInput | readonly TokenInput[], options: Either = {}) {
    return answerCall(FORM, input, options, (chunk) => answer(classifier, chunk, options));
  }
  return Object.assign(find, { labels: classifier.context.labels, dispose: () => classifier.dispose() });
}

/**
 * The tokens or entities of each input. A long text is read in windows, and each of its tokens judged once. Throws
 * OPTION_INVALID, TEXT_EMPTY, TRUNCATION_IMPOSSIBLE where the stride leaves windows no room, and the errors of `TaskModel.answer`.
 */
async function answer(
  classifier: TokenClassifier,
  inputs: readonly TokenInput[],
  { aggregation_strategy = "none", ignore_labels, stride, signal }: Either,
): Promise<(TokenEntity[] | EntityGroup[])[]> {
  requireStrategy(aggregation_strategy);
  const { labels } = classifier.context;
  const texts = inputs.map((input) => (typeof input === "string" ? input : input.words));
  for (const text of texts) if (typeof text === "string") requireText("a text", text);
  const settings = stride === undefined ? {} : { stride };
  const { results } = await classifier.answer(texts, { settings, signal });
  return results.map((tokens, i) =>
    findEntities(judgedText(texts[i], tokens), labels, aggregation_strategy, ignore_labels),
  );
}

function requireStrategy(strategy: AggregationStrategy): void {
  if (AGGREGATION_STRATEGIES.includes(strategy)) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "there is no such aggregation_strategy",
    expected: AGGREGATION_STRATEGIES.join(", "),
    received: String(strategy),
  });
}
