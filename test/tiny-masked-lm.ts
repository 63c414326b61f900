import { type BertConfig, withoutDropout } from "../src/bert/config.ts";
import { joinSequences } from "../src/data/sequences.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { type Executor, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { maskedLm } from "../src/heads/masked-lm.ts";
import { type MaskedInput, MaskedLanguageModel, maskedLmParameters } from "../src/tasks/words/masked-language-model.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { tinyConfig } from "./tiny-model.ts";

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

export interface TinyMaskedLm {
  readonly model: MaskedLanguageModel;
  readonly config: BertConfig;
  readonly parameters: Parameters;
}

/** A masked language model of random weights, by default on the reference executor. */
export async function tinyMaskedLm(
  words: readonly string[],
  { executor = referenceExecutor, maxLength = 128 }: { executor?: Executor; maxLength?: number } = {},
): Promise<TinyMaskedLm> {
  const tokens = [...SPECIAL, ...words];
  const config = tinyConfig({ vocab_size: tokens.length, max_position_embeddings: maxLength });
  const parameters = new Parameters(maskedLmParameters(config));
  initialise(parameters, 0.3, 1);
  const tokenizer = BertTokenizer.fromVocabulary(tokens);
  return { model: await MaskedLanguageModel.load({ config, parameters, tokenizer }, executor), config, parameters };
}

/**
 * A model that finds these probabilities behind every mask, whatever stands around it; special tokens get what is left.
 */
export async function oracle(
  probabilities: Readonly<Record<string, number>>,
  options?: { maxLength?: number },
): Promise<MaskedLanguageModel> {
  const { model, parameters } = await tinyMaskedLm(Object.keys(probabilities), options);
  const left = 1 - Object.values(probabilities).reduce((a, b) => a + b, 0);
  const all = [...SPECIAL.map(() => left / SPECIAL.length), ...Object.values(probabilities)];
  parameters.buffer.fill(0); // so that the logits are the bias alone
  parameters.get("cls.predictions.bias").data.set(all.map(Math.log));
  return model;
}

/** The probabilities [V] at each position of a sequence, by the formula, from a run of the graph itself. */
export async function probabilitiesByHand(
  { config, parameters }: TinyMaskedLm,
  { positions, ...sequence }: MaskedInput,
): Promise<number[][]> {
  const graph = makeGraph({ logits: maskedLm(withoutDropout(config)).logits });
  const executable = await referenceExecutor.load(graph, parameters);
  const { logits } = await executable.run({
    ...joinSequences([sequence]),
    maskedPositions: vector(Int32Array.from(positions)),
  });
  const V = config.vocabSize;
  return positions.map((_, row) => {
    const exponentials = Array.from(logits!.data.subarray(row * V, (row + 1) * V), Math.exp);
    const total = exponentials.reduce((a, b) => a + b);
    return exponentials.map((value) => value / total);
  });
}
