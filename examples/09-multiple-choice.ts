/** Which of some endings follows: `npx tsx examples/09-multiple-choice.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const people = ["she", "he", "the child", "my friend"];
const scenes = [
  ["dropped the glass", "it broke on the floor"],
  ["opened the window", "cold air came in"],
  ["planted a seed", "a flower grew"],
  ["told a joke", "everybody laughed"],
];
const endings = scenes.map(([, ending]) => ending);

/** As SWAG's tables: a context, its endings, and the number of the right one, from 0. */
const rows = people.flatMap((person, i) =>
  scenes.flatMap(([doing, right], scene) =>
    [1, 2, 3].map((next) => {
      const wrong = endings[(scene + next) % endings.length];
      const place = (i + scene + next) % 2; // so that the place tells nothing
      const choices = place === 0 ? [right, wrong] : [wrong, right];
      return [`${person} ${doing}`, ...choices, place].join("\t");
    }),
  ),
);
const train = join(folder, "train.tsv");
writeFileSync(train, `sent1\tending0\tending1\tlabel\n${rows.join("\n")}\n`);

const { tokens } = await trainVocabulary(rows, { size: 120 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("multiple-choice", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 48 rows to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  contextColumn: "sent1", // alone: without a column of how the endings begin
  choiceColumns: ["ending0", "ending1"],
  epochs: 40,
  batchSize: 8,
  learningRate: 2e-3,
});
console.log("accuracy:", metrics?.accuracy);

const choose = await pipeline("multiple-choice", join(folder, "model"));
const context = "my friend opened the window";
console.log(await choose({ context, choices: ["everybody laughed", "cold air came in", "a flower grew"] }));
await choose.dispose();
