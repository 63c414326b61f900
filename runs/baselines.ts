/**
 * What a model has to beat on the data of docs/results.md: the commonest label, and a simple method that knows the same
 * training data. Nothing here is tuned. Prints JSON; the second argument is where splits are kept. Takes half a minute.
 *
 *     npx tsx runs/baselines.ts path/to/data results-output
 */
import { join } from "node:path";
import { readConll } from "../src/formats/conll.node.ts";
import { type GlueExample, readGlue } from "../src/formats/glue.node.ts";
import type { GlueTaskName } from "../src/formats/glue.ts";
import { readSquad } from "../src/formats/squad.node.ts";
import { readTable } from "../src/formats/table.node.ts";
import { answerScores } from "../src/metrics/answer-scores.ts";
import { classificationReport } from "../src/metrics/classification.ts";
import { confusionMatrix } from "../src/metrics/confusion-matrix.ts";
import { spearman } from "../src/metrics/correlation.ts";
import { entityScores } from "../src/metrics/entity-scores.ts";
import { type LabelledWords, naiveBayes } from "./naive-bayes.ts";
import { overlappingAnswer } from "./overlapping-answer.ts";
import { makeSplits } from "./splits.ts";
import { type TaggedWords, wordTags } from "./word-tags.ts";
import { overlap, rarity, wordsOf } from "./words.ts";

/** The figures of a method under the names that metrics.json has them under, such as `accuracy`. */
export type Figures = Readonly<Record<string, number>>;

export interface Baseline {
  /** Always the commonest label, where there are labels to choose from. */
  readonly majority?: Figures;
  readonly simple: Figures;
}

/** The baselines of each task, by its name in runs/results.sh. */
export async function measureBaselines(data: string, out: string): Promise<Record<string, Baseline>> {
  await makeSplits(data, out);
  const at = (name: string) => join(data, name);
  const split = (name: string) => join(out, name);
  return {
    sst2: classify(await sentences(at("sst2/train.tsv")), await sentences(at("sst2/dev.tsv"))),
    cola: classify(await judgements(at("cola/train.tsv")), await judgements(at("cola/dev.tsv"))),
    stsb: await compare(at("stsb/sts-dev.tsv")),
    sick: classify(await pairs(at("sick/SICK_train.txt")), await pairs(at("sick/SICK_test_annotated.txt"))),
    wnut17: tag(await tagged(at("wnut17/wnut17train.conll")), await tagged(at("wnut17/emerging.test.annotated"))),
    wikigold: tag(await tagged(split("wikigold-split/train.conll")), await tagged(split("wikigold-split/dev.conll"))),
    squad: await answer(at("squad/dev-10-articles.json")),
    mails: classify(await mails(split("mails-split/train.jsonl")), await mails(split("mails-split/test.jsonl"))),
  };
}

/** Naive Bayes. */
function classify(train: readonly LabelledWords[], test: readonly LabelledWords[]): Required<Baseline> {
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  const gold = test.map(({ label }) => labels.indexOf(label));
  const judge = (predict: (words: readonly string[]) => string) => {
    const predicted = test.map(({ words }) => labels.indexOf(predict(words)));
    const { accuracy, mcc } = classificationReport(confusionMatrix({ predicted, gold, labelCount: labels.length }));
    return { accuracy, mcc };
  };
  const frequency = (label: string) => train.filter((example) => example.label === label).length;
  const commonest = labels.reduce((best, label) => (frequency(label) > frequency(best) ? label : best));
  return { majority: judge(() => commonest), simple: judge(naiveBayes(train)) };
}

/** How many words two sentences share, which has nothing to learn. */
async function compare(file: string): Promise<Baseline> {
  const rows = await glue("stsb", file);
  const similarities = rows.map(({ text, pair = "" }) => overlap(text, pair));
  const scores = rows.map(({ label }) => Number(label));
  return { simple: { spearman: spearman(similarities, scores) } };
}

/** The commonest tag of each word. */
function tag(train: readonly TaggedWords[], test: readonly TaggedWords[]): Baseline {
  const tagOf = wordTags(train);
  const predicted = test.map(({ words }) => words.map(tagOf));
  return { simple: { f1: entityScores({ gold: test.map(({ tags }) => tags), predicted }).micro.f1 } };
}

/** Words near those of the question, which has nothing to learn either. */
async function answer(file: string): Promise<Baseline> {
  const { questions } = await readSquad(file);
  const rarityOf = rarity([...new Set(questions.map(({ context }) => context))]);
  const predictions = new Map(
    questions.map(({ id, question, context }) => [id, overlappingAnswer(question, context, rarityOf)]),
  );
  const { exactMatch, f1 } = answerScores(predictions, questions);
  return { simple: { exactMatch, f1 } };
}

async function sentences(path: string): Promise<LabelledWords[]> {
  const rows = await table(path, ["sentence", "label"]);
  return rows.map(([text, label]) => ({ words: wordsOf(text), label }));
}

async function judgements(path: string): Promise<LabelledWords[]> {
  return (await glue("cola", path)).map(({ text, label }) => ({ words: wordsOf(text), label }));
}

/** Of a pair each word is one of three: in both sentences, or in one of them. */
async function pairs(path: string): Promise<LabelledWords[]> {
  const rows = await table(path, ["sentence_A", "sentence_B", "entailment_judgment"]);
  return rows.map(([first, second, label]) => {
    const [left, right] = [wordsOf(first), wordsOf(second)];
    const marked = (words: string[], others: string[], mark: string) =>
      words.map((word) => (others.includes(word) ? `both ${word}` : `${mark} ${word}`));
    return { words: [...marked(left, right, "first"), ...marked(right, left, "second")], label };
  });
}

async function mails(path: string): Promise<LabelledWords[]> {
  return (await table(path, ["text", "label"])).map(([text, label]) => ({ words: wordsOf(text), label }));
}

async function tagged(path: string): Promise<TaggedWords[]> {
  const sentences = await all(readConll(path, { columns: [0, -1] }));
  return sentences.map(({ columns: [words, tags] }) => ({ words, tags }));
}

async function table(path: string, columns: readonly string[]): Promise<(readonly string[])[]> {
  return (await all(readTable(path, { columns }))).map(({ values }) => values);
}

async function glue(name: GlueTaskName, path: string): Promise<GlueExample[]> {
  return (await all(readGlue(name, path))).filter((row) => "text" in row);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

if (process.argv[1] === import.meta.filename) {
  const [data, out] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await measureBaselines(data, out), null, 2)}\n`);
}
