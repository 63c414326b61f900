/** Names and shapes of weights are those of Hugging Face's transformers, so that files need no mapping either way. */
import { expect, test } from "vitest";
import { parseBertConfig } from "../bert/config.ts";
import { makeGraph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operations.ts";
import { multipleChoice } from "./multiple-choice.ts";
import { pretraining } from "./pretraining.ts";
import { questionAnswering } from "./question-answering.ts";
import { sequenceClassification } from "./sequence-classification.ts";
import { tokenClassification } from "./token-classification.ts";

// Sizes that all differ, so that no two can be mistaken for one another.
const [V, D, L, N, F, P, S, K] = [99, 32, 2, 4, 37, 11, 3, 5];
const config = parseBertConfig(
  {
    vocab_size: V,
    hidden_size: D,
    num_hidden_layers: L,
    num_attention_heads: N,
    intermediate_size: F,
    max_position_embeddings: P,
    type_vocab_size: S,
  },
  "the test's config",
);

type Shapes = Record<string, readonly number[]>;

const norm = (name: string): Shapes => ({ [`${name}.LayerNorm.weight`]: [D], [`${name}.LayerNorm.bias`]: [D] });
const dense = (name: string, out: number, width: number): Shapes => ({
  [`${name}.weight`]: [out, width],
  [`${name}.bias`]: [out],
});
const layer = (name: string): Shapes => ({
  ...dense(`${name}.attention.self.query`, D, D),
  ...dense(`${name}.attention.self.key`, D, D),
  ...dense(`${name}.attention.self.value`, D, D),
  ...dense(`${name}.attention.output.dense`, D, D),
  ...norm(`${name}.attention.output`),
  ...dense(`${name}.intermediate.dense`, F, D),
  ...dense(`${name}.output.dense`, D, F),
  ...norm(`${name}.output`),
});

/** BertModel without a pooler, under the prefix that it has in every model with a head. */
const encoder: Shapes = {
  "bert.embeddings.word_embeddings.weight": [V, D],
  "bert.embeddings.position_embeddings.weight": [P, D],
  "bert.embeddings.token_type_embeddings.weight": [S, D],
  ...norm("bert.embeddings"),
  ...layer("bert.encoder.layer.0"),
  ...layer("bert.encoder.layer.1"),
};

const bert: Shapes = { ...encoder, ...dense("bert.pooler.dense", D, D) };

function shapesOf(outputs: Record<string, Tensor>): Shapes {
  return Object.fromEntries(makeGraph(outputs).parameters.map(({ name, shape }) => [name, shape]));
}

const heads: readonly (readonly [string, { logits: Tensor; loss: Tensor }, Shapes])[] = [
  [
    "BertForSequenceClassification",
    sequenceClassification(config, { labels: K }),
    { ...bert, ...dense("classifier", K, D) },
  ],
  [
    "BertForTokenClassification",
    tokenClassification(config, { labels: K }),
    { ...encoder, ...dense("classifier", K, D) },
  ],
  ["BertForQuestionAnswering", questionAnswering(config), { ...encoder, ...dense("qa_outputs", 2, D) }],
  ["BertForMultipleChoice", multipleChoice(config), { ...bert, ...dense("classifier", 1, D) }],
];

test.each(heads)("%s", (_, { logits, loss }, expected) => {
  expect(shapesOf({ logits })).toEqual(expected);
  expect(shapesOf({ loss })).toEqual(expected);
});

test("BertForPreTraining, whose decoder is the word embeddings and has no weight of its own", () => {
  expect(shapesOf({ loss: pretraining(config).loss })).toEqual({
    ...bert,
    "cls.predictions.bias": [V],
    ...dense("cls.predictions.transform.dense", D, D),
    ...norm("cls.predictions.transform"),
    ...dense("cls.seq_relationship", 2, D),
  });
});
