/** Labels that a model was never trained for, by entailment: `npx tsx examples/12-zero-shot.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const people = ["she", "he", "the child", "my friend"];
const topics = { weather: "watched the rain", music: "played the guitar", food: "baked some bread" };

/** As MNLI's tables: a premise, a hypothesis about it, and whether the one entails the other. */
const rows = people.flatMap((person) =>
  Object.entries(topics).flatMap(([topic, doing]) =>
    Object.keys(topics).map((other) =>
      [`${person} ${doing}`, `This is about ${other}.`, topic === other ? "entailment" : "contradiction"].join("\t"),
    ),
  ),
);
const train = join(folder, "train.tsv");
writeFileSync(train, `premise\thypothesis\tlabel\n${rows.join("\n")}\n`);

const { tokens } = await trainVocabulary(rows, { size: 150 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("text-classification", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 36 rows to learn by heart: a model for labels of any kind needs MNLI's 393,000
  output: join(folder, "model"),
  textColumn: "premise",
  pairColumn: "hypothesis",
  epochs: 400,
  batchSize: 8,
  learningRate: 5e-4,
});
console.log("accuracy:", metrics?.accuracy);

const classify = await pipeline("zero-shot-classification", join(folder, "model"));
const options = { hypothesis_template: "This is about {}." };
console.log(await classify("my friend played the guitar", ["food", "music", "weather"], options));
const { labels, scores } = await classify("she baked some bread", ["weather", "food"], {
  ...options,
  multi_label: true,
});
console.log(labels.map((label, i) => `${label} ${scores[i]!.toFixed(2)}`).join(", ")); // each label judged alone
await classify.dispose();
