/** Any number of labels for a text: `npx tsx examples/11-multi-label.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const complaints = {
  delivery: ["it came a week late", "the parcel was lost"],
  quality: ["it broke at once", "the handle is loose"],
  refund: ["I want my money back", "please send me a refund"],
};
const remarks = ["good day", "as I said"];

/** A text with every choice of complaints, none among them, and the list of what it complains of. */
const rows = remarks.flatMap((remark) => {
  let choices = [{ text: remark, labels: [] as string[] }];
  for (const [label, wordings] of Object.entries(complaints)) {
    const more = choices.flatMap(({ text, labels }) =>
      wordings.map((wording) => ({ text: `${text}, ${wording}`, labels: [...labels, label] })),
    );
    choices = [...choices, ...more];
  }
  return choices;
});
const train = join(folder, "train.jsonl");
writeFileSync(train, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

const texts = rows.map(({ text }) => text);
const { tokens } = await trainVocabulary(texts, { size: 150 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("multi-label-classification", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 54 rows to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  epochs: 15,
  batchSize: 8,
  learningRate: 1e-3,
});
console.log("micro F1:", metrics?.microF1);

const classify = await pipeline("text-classification", join(folder, "model"));
const text = "good day, the parcel was lost, please send me a refund";
for (const { label, score } of await classify(text, { top_k: null })) {
  console.log(`${label}: ${score >= 0.5 ? "yes" : "no"}`); // each label has a probability of its own
}
await classify.dispose();
