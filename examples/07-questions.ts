/** Questions about a text, of which some have no answer: `npx tsx examples/07-questions.ts` */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BertTokenizer, finetune, pipeline, saveTokenizer, trainVocabulary } from "cloze";

const folder = mkdtempSync(join(tmpdir(), "cloze-example-"));
const names = ["ada", "grace", "alan", "mary", "rosa"];
const things = ["a lamp", "a red coat", "some tea", "two books", "a kite"];

/** SQuAD's form. An answer is its text and where it begins; the third question of each paragraph has none. */
const paragraphs = names.flatMap((name, i) =>
  things.map((thing, j) => {
    const context = `on monday ${name} bought ${thing} in the old market .`;
    const answer = (text: string) => [{ text, answer_start: context.indexOf(text) }];
    return {
      context,
      qas: [
        { id: `${i}${j}-who`, question: `who bought ${thing} ?`, answers: answer(name) },
        { id: `${i}${j}-what`, question: `what did ${name} buy ?`, answers: answer(thing) },
        { id: `${i}${j}-none`, question: `where did ${name} live ?`, answers: [], is_impossible: true },
      ],
    };
  }),
);
const train = join(folder, "train.json");
writeFileSync(train, JSON.stringify({ version: "v2.0", data: [{ title: "shopping", paragraphs }] }));

const texts = paragraphs.flatMap(({ context, qas }) => [context, ...qas.map(({ question }) => question)]);
const { tokens } = await trainVocabulary(texts, { size: 120 });
await saveTokenizer(BertTokenizer.fromVocabulary(tokens), join(folder, "vocab"));

const { metrics } = await finetune("question-answering", {
  model: "tiny",
  vocab: join(folder, "vocab"),
  train,
  dev: train, // 75 questions to learn by heart: this shows the calls, not how good a model is
  output: join(folder, "model"),
  epochs: 25,
  batchSize: 8,
  learningRate: 1e-3,
  maxLength: 64,
  stride: 16,
});
console.log("F1:", metrics?.f1, "exact match:", metrics?.exactMatch);

const ask = await pipeline("question-answering", join(folder, "model"));
const context = "on monday grace bought a red coat in the old market .";
for (const question of ["who bought a red coat ?", "what did grace buy ?", "where did grace live ?"]) {
  console.log(question, await ask({ question, context }));
}
await ask.dispose();
