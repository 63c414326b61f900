/**
 * A model that cannot learn a hundred sentences by heart learns nothing else either. As in the check that comes with Google's
 * BERT, the instances stay the same (`--duplicates`), and what is measured is whether the model knows them.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareCorpus } from "../src/corpus/prepare.node.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { type PretrainOptions, pretrain } from "../src/tasks/pretraining/pretrain.node.ts";
import { loadTokenizer, saveTokenizer } from "../src/tokenizer/folder.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { trainVocabulary } from "../src/tokenizer/train-vocabulary.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-overfit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lines of the licence, prose that nobody rewrites, as sentences: one a line, documents of five. */
function writeSentences(name: string, count: number): string {
  const lines = readFileSync(join(import.meta.dirname, "../LICENSE"), "utf8").split("\n");
  const sentences = lines.map((line) => line.trim()).filter((line) => line.length > 40);
  expect(sentences.length).toBeGreaterThan(count);
  const path = join(folder, name);
  const documents = sentences.slice(0, count).map((sentence, i) => `${sentence}\n${i % 5 === 4 ? "\n" : ""}`);
  writeFileSync(path, documents.join(""));
  return path;
}

/** Trains without dropout on a file of sentences; returns how the last update found its batch. */
async function learnByHeart(
  source: string,
  tokenizer: BertTokenizer,
  options: Pick<PretrainOptions, "model" | "vocab" | "steps" | "batchTokens" | "learningRate">,
) {
  const data = `${source}-data`;
  await prepareCorpus({ sources: [source], tokenizer, output: data, lines: "sentence", threads: 1 });
  let last: Readonly<Record<string, number>> = {};
  await pretrain({
    ...options,
    data: [data],
    output: `${source}-model`,
    maxLength: 64,
    duplicates: 1,
    dropout: 0,
    onEvent: (event) => {
      if (event.kind === "step") last = event.metrics;
    },
  });
  return last;
}

test("a mini learns 100 sentences by heart, from random weights", async () => {
  const source = writeSentences("hundred.txt", 100);
  const { tokens } = await trainVocabulary([readFileSync(source, "utf8")], { size: 900, minFrequency: 1 });
  const tokenizer = BertTokenizer.fromVocabulary(tokens);
  const vocab = join(folder, "vocab");
  await saveTokenizer(tokenizer, vocab);
  const recipe = { model: "mini", vocab, steps: 200, batchTokens: 512, learningRate: 5e-4 };
  const { maskedAccuracy, nextSentenceAccuracy } = await learnByHeart(source, tokenizer, recipe);
  console.log(`100 sentences: masks ${maskedAccuracy}, pairs ${nextSentenceAccuracy}`);
  expect(maskedAccuracy).toBeGreaterThan(0.95);
  expect(nextSentenceAccuracy).toBeCloseTo(1, 6);
});

test("twenty steps on twenty sentences, from the shipped checkpoint", async () => {
  const source = writeSentences("twenty.txt", 20);
  const recipe = { model: SHIPPED_MODEL, steps: 20, batchTokens: 1024, learningRate: 1e-3 };
  const { maskedAccuracy } = await learnByHeart(source, await loadTokenizer(SHIPPED_MODEL), recipe);
  console.log(`20 sentences, 20 steps: masks ${maskedAccuracy}`);
  expect(maskedAccuracy).toBeGreaterThan(0.95);
});
