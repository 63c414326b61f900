/** Which recipe is best, by cross-validation: `npx tsx examples/10-sweep.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, pipeline, saveTokenizer, sweep, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const subjects = ["the film", "this book", "her song", "our dinner", "that play", "his poem"];
const good = ["was wonderful", "is a delight", "was great fun"];
const bad = ["was dreadful", "is a bore", "was a great waste"];
const rows = subjects.flatMap((subject) => [
  ...good.map((praise) => `${subject} ${praise}\tpositive`),
  ...bad.map((blame) => `${subject} ${blame}\tnegative`),
]);
const train = join(folder, "train.tsv");
writeFileSync(train, `text\tlabel\n${rows.join("\n")}\n`);

const { tokens } = await trainVocabulary(rows, { size: 120 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

// Two rates, three folds: six trainings, each in a folder of its own, and each row held back once for each recipe.
const ranked = await sweep("text-classification", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  output: join(folder, "sweep"),
  learningRates: [1e-3, 1e-5],
  batchSizes: [8],
  epochCounts: [14],
  folds: 3,
  onEvent: (event) => {
    if (event.kind === "run") console.log(`training ${event.index + 1} of ${event.total}: ${event.name}`);
  },
});
for (const { learningRate, mean, deviation } of ranked) {
  console.log(`rate ${learningRate}: accuracy ${mean.toFixed(3)}, deviation ${deviation.toFixed(3)}`);
}

const classify = await pipeline("text-classification", ranked[0]!.best);
console.log(await classify("our film was wonderful"));
await classify.dispose();
