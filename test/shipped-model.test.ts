/** The pre-trained model that comes with the package: whole, small, and what the commands take if no other is named. */
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { openModelFolder, storedWeights } from "../src/tasks/folder/model-folder.node.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { cloze } from "./command-line.ts";
import { examples, writeRows } from "./tiny-model.ts";

/** Sentences that anyone might write. */
const PLAIN = [
  "The river flows through the city and into the sea.",
  "He was born in London in 1850 and died in Paris.",
  "The children went to school in the morning.",
  "She opened the door and looked into the room.",
  "The king and the queen lived in a large castle.",
  "It was a cold day in the middle of winter.",
  "The book was written by a famous author.",
  "They walked along the road until they came to a small village.",
  "The train arrives at the station at eight o'clock.",
  "My father told me that he would come back soon.",
];

/** The words of a sentence in another order. */
function shuffle(sentence: string): string {
  const words = sentence.slice(0, -1).split(" ");
  const random = Random.of(1, sentence);
  for (let i = words.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [words[i], words[j]] = [words[j], words[i]];
  }
  return `${words.join(" ")}.`;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-shipped-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("models/cloze-mini-en", () => {
  test("is half-precision, under 25 MB, with a card that tells of data, licences, recipe and figures", async () => {
    expect(statSync(join(SHIPPED_MODEL, "model.safetensors")).size).toBeLessThan(25e6);
    expect(new Set((await storedWeights(SHIPPED_MODEL)).map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
    const { config, tokenizer } = await openModelFolder(SHIPPED_MODEL);
    expect(config).toMatchObject({ layers: 4, hiddenSize: 256, vocabSize: tokenizer.vocabulary.size });
    const card = readFileSync(join(SHIPPED_MODEL, "README.md"), "utf8");
    for (const word of ["Wikipedia", "Gutenberg", "CC BY-SA", "perplexity", "runs/pretrain-mini.sh", "curves.svg"]) {
      expect(card).toContain(word);
    }
    expect(existsSync(join(SHIPPED_MODEL, "curves.svg"))).toBe(true);
  });

  test("is what pipelines open without a folder, and fills masks with words", async () => {
    const fill = await pipeline("fill-mask");
    const candidates = await fill("the capital of france is [MASK].", { top_k: 10 });
    await fill.dispose();
    expect(candidates.flat().map(({ token_str }) => token_str)).toContainEqual(expect.stringMatching(/^[a-z]{2,}$/));
    const extract = await pipeline("feature-extraction");
    expect((await extract("A sentence", { pooling: "mean" })).dims).toEqual([1, 256]);
    await extract.dispose();
  });

  test("finds plain sentences likely, and their words in another order unlikely", async () => {
    const likelihood = await pipeline("pseudo-log-likelihood");
    const perplexity = async (texts: readonly string[]) => {
      const found = await likelihood(texts);
      const [score, tokens] = [found.map((one) => one.score), found.map((one) => one.tokens)].map((numbers) =>
        numbers.reduce((a, b) => a + b),
      );
      return Math.exp(-score / tokens);
    };
    const plain = await perplexity(PLAIN);
    expect(plain).toBeLessThan(10); // measured: 5.0
    expect(await perplexity(PLAIN.map(shuffle))).toBeGreaterThan(10 * plain); // measured: 400 to 1300
    await likelihood.dispose();
  });

  test("is what fine-tuning starts from if no model is named", async () => {
    const train = writeRows(join(folder, "train.jsonl"), examples(8));
    const output = join(folder, "tuned");
    await finetune("text-classification", { train, output, epochs: 1, maxLength: 16, threads: 1 });
    expect((await openModelFolder(output)).config).toMatchObject({ layers: 4, hiddenSize: 256 });
    const args = ["finetune", "text-classification", "--train", train, "--output", join(folder, "by-command")];
    const { code, stderr } = await cloze([...args, "--epochs", "1", "--max-length", "16", "--threads", "1"]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("starting from random values") });
  });
});
