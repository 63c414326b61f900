/** Named entities: from tagged words to pieces of a text: `npx tsx examples/06-entities.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const people = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Mary Shelley", "Rosalind Franklin"];
const places = ["London", "New York", "Paris", "Buenos Aires", "Oslo"];
const patterns = [
  "PER lives in LOC .",
  "PER flew to LOC today .",
  "In LOC we met PER .",
  "LOC is where PER was born .",
];

/** A word a line with its tag: B- begins an entity, I- goes on with it, O is outside. */
const tagged = (name: string, type: string) =>
  name.split(" ").map((word, i) => `${word}\t${i === 0 ? "B" : "I"}-${type}`);
const sentences = people.flatMap((person) =>
  places.flatMap((place) =>
    patterns.map((pattern) =>
      pattern
        .split(" ")
        .flatMap((word) =>
          word === "PER" ? tagged(person, word) : word === "LOC" ? tagged(place, word) : [`${word}\tO`],
        ),
    ),
  ),
);
const train = join(folder, "train.conll");
writeFileSync(train, sentences.map((lines) => `${lines.join("\n")}\n\n`).join(""));

const { tokens } = await trainVocabulary([...people, ...places, ...patterns], { size: 150 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("token-classification", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 100 sentences to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  epochs: 6,
  batchSize: 8,
  learningRate: 1e-3,
});
console.log("F1 of entities:", metrics?.f1);

const find = await pipeline("token-classification", join(folder, "model"));
const text = "Grace Hopper flew to Buenos Aires.";
console.log(await find(text, { aggregation_strategy: "simple" }));

// Words that are known beforehand; the entity then says which of them it is.
const words = ["Ada", "Lovelace", "lives", "in", "Oslo", "."];
for (const { entity_group, start_word = 0, end_word } of await find({ words }, { aggregation_strategy: "simple" })) {
  console.log(`${entity_group}: ${words.slice(start_word, end_word).join(" ")}`);
}
await find.dispose();
