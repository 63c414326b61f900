/** How well two texts go together, and which of some go best with a query: `npx tsx examples/08-similarity.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const query = "warm weather"; // a single one, so that a tiny model learns it in seconds
const degrees = { freezing: 0, cold: 1, cool: 2, mild: 3, warm: 4, hot: 5 };
const times = ["a DEGREE day", "the night was DEGREE", "it stays DEGREE all week", "how DEGREE the wind is"];

/** A pair's score: how well the text goes with the query, from 0 to 5 as in STS-B. */
const rows = Object.entries(degrees).flatMap(([degree, score]) =>
  times.map((text) => `${query}\t${text.replace("DEGREE", degree)}\t${score}`),
);
const train = join(folder, "train.tsv");
writeFileSync(train, `query\ttext\tscore\n${rows.join("\n")}\n`);

const { tokens } = await trainVocabulary(rows, { size: 80 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("regression", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 24 pairs to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  textColumn: "query",
  pairColumn: "text",
  epochs: 50,
  batchSize: 8,
  learningRate: 1e-3,
});
console.log("Spearman's correlation:", metrics?.spearman);

const model = join(folder, "model");
const similarity = await pipeline("sentence-similarity", model);
console.log(
  await similarity([
    { text: query, text_pair: "a hot day" },
    { text: query, text_pair: "a cold day" },
  ]),
);
await similarity.dispose();

// The same model, of a query and many texts.
const rerank = await pipeline("rerank", model);
const texts = ["the night was cold", "it stays hot all week", "a freezing day", "a mild day"];
console.log(await rerank({ query, texts }, { top_k: 2, return_text: true }));
await rerank.dispose();
