/** Fine-tuning from a program, with progress, and predicting with the result: `npx tsx examples/03-finetune.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const train = join(folder, "train.tsv");
const [subjects, good, bad] = [
  ["the film", "this book", "her song", "our dinner", "that play"],
  ["was wonderful", "is a delight", "was great fun", "is lovely"],
  ["was dreadful", "is a bore", "was a great waste", "is ugly"],
];
const rows = subjects!.flatMap((subject) => [
  ...good!.map((praise) => `${subject} ${praise}\tpositive`),
  ...bad!.map((blame) => `${subject} ${blame}\tnegative`),
]);
writeFileSync(train, `text\tlabel\n${rows.join("\n")}\n`);

const { tokens } = await trainVocabulary(rows, { size: 120 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

await finetune("text-classification", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 40 rows to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  epochs: 12,
  batchSize: 8,
  learningRate: 1e-3,
  onEvent: (event) => {
    if (event.kind === "epoch" && event.epoch % 4 === 3)
      console.log(`epoch ${event.epoch + 1}: loss ${event.loss.toFixed(3)}`);
  },
});

const classify = await pipeline("text-classification", join(folder, "model"));
console.log(await classify(["our film was wonderful", "our film was dreadful"]));
console.log(await classify("this song is a delight", { top_k: 2 }));
await classify.dispose();
