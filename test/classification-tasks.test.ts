/** Tasks that judge a text, a pair or choices as a whole: from files to models, figures and answers. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTask } from "../src/tasks/definitions/open-task.node.ts";
import { textClassification, textClassificationLogits } from "../src/tasks/definitions/text-classification.ts";
import { purposeOf } from "../src/tasks/folder/model-folder.node.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { rerankTexts } from "../src/tasks/pipelines/rerank.ts";
import { openEntailmentModel } from "../src/tasks/pipelines/zero-shot.node.ts";
import { classifyByEntailment } from "../src/tasks/pipelines/zero-shot.ts";
import { finetune, taskOf } from "../src/tasks/task-table.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { examples, VOCABULARY, writeRows, writeTinyModel, writeTinyPretrainedModel } from "./tiny-model.ts";

let folder: string;
let base: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-classification-"));
  base = await writeTinyPretrainedModel(join(folder, "base"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { threads: 1 };
const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);
const recipe = "--epochs 8 --batch-size 8 --learning-rate 3e-3 --threads 1".split(" ");

function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

function json(...path: string[]) {
  return JSON.parse(readFileSync(join(folder, ...path), "utf8"));
}

/** What a command prints, which must succeed. */
async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cloze(args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** The objects that `cloze predict` prints. */
async function predict(...args: string[]) {
  const lines = await succeed("predict", ...args, "--threads", "1");
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Fine-tunes on the command line with a training file that is also the one to measure on; gives the model's folder. */
async function train(task: string, data: string, ...args: string[]): Promise<string> {
  const output = join(folder, `${task}-model`);
  const files = ["--model", base, "--train", data, "--dev", data, "--output", output];
  await succeed("finetune", task, ...files, ...recipe, ...args);
  return output;
}

test("figures of a text's labels have the matrix of 200 labels, and of no more", () => {
  const labels = Array.from({ length: 201 }, (_, i) => `T${i}`);
  const metricsOf = (labels: readonly string[]) => {
    const examples = [{ input: { text: "a" }, gold: labels[1], place: "file, line 1" }];
    const context = { tokenizer, labels, maxLength: 128, settings: textClassification.settings.parse({}) };
    return textClassification.score(examples, [new Float32Array(labels.length)], context).metrics;
  };
  expect(metricsOf(labels.slice(1)).confusion).toHaveLength(200);
  expect(metricsOf(labels)).not.toHaveProperty("confusion");
  expect(metricsOf(labels)).toMatchObject({ examples: 1, accuracy: 0 });
  expect(metricsOf(labels).perLabel).toHaveLength(201);
});

describe("multi-label classification", () => {
  const rows = [
    ...examples(60).map(({ text, label }) => ({ text, labels: [label] })),
    ...Array.from({ length: 20 }, (_, i) => ({ text: `good ${"xyz"[i % 3]} bad`, labels: ["negative", "positive"] })),
    ...Array.from({ length: 20 }, (_, i) => ({ text: `a ${"xyz"[i % 3]} c`, labels: [] })),
  ];
  let model: string;
  let data: string;
  beforeAll(async () => {
    data = writeRows(join(folder, "sets.jsonl"), rows);
    model = await train("multi-label-classification", data, "--threshold", "0.4", "--epochs", "20");
  });

  test("learns which labels apply, none or several", async () => {
    const metrics = json("multi-label-classification-model", "metrics.json");
    expect(metrics.microF1).toBeGreaterThan(0.95);
    expect(json("multi-label-classification-model", "config.json")).toMatchObject({
      architectures: ["BertForSequenceClassification"],
      problem_type: "multi_label_classification",
      id2label: { 0: "negative", 1: "positive" },
      task_specific_params: { "multi-label-classification": { threshold: 0.4 } },
    });
    const figures = JSON.parse(await succeed("evaluate", model, "--data", data, "--json", "--threads", "1"));
    expect(figures.microF1).toBe(metrics.microF1);
  });

  test("predicts those at the threshold or above, which may be another one", async () => {
    const texts = ["good y bad", "a y c", "good"];
    const lines = await predict(model, ...texts);
    for (const [i, line] of lines.entries()) {
      expect(line.text).toBe(texts[i]);
      const applying = Object.entries(line.scores).flatMap(([name, score]) => (Number(score) >= 0.4 ? [name] : []));
      expect(line.labels).toEqual(applying);
    }
    expect(lines.map(({ labels }) => labels)).toEqual([["negative", "positive"], [], ["positive"]]);
    const all = await predict(model, "a y c", "--threshold", "0");
    expect(all[0].labels).toEqual(["negative", "positive"]);
  });

  test("is text classification in Hugging Face's pipeline, with a sigmoid for each label", async () => {
    const classify = await pipeline("text-classification", model, options);
    const [line] = await predict(model, "good y bad");
    const scores = await classify("good y bad", { top_k: null });
    expect(Object.fromEntries(scores.map(({ label, score }) => [label, score]))).toEqual(line.scores);
    expect(scores.reduce((sum, { score }) => sum + score, 0)).toBeGreaterThan(1.5);
    expect(await classify("good")).toEqual([expect.objectContaining({ label: "positive" })]);
    await classify.dispose();
  });
});

describe("regression", () => {
  const rows = examples(120).map(({ text, label }, i) => {
    return { a: "xyz"[i % 3], b: text, n: label === "positive" ? 4 : 1 };
  });
  let model: string;
  beforeAll(async () => {
    const columns = ["--text-column", "a", "--pair-column", "b", "--score-column", "n"];
    const data = writeRows(join(folder, "scores.jsonl"), rows);
    model = await train("regression", data, ...columns, "--epochs", "24");
  });

  test("learns numbers of pairs, on the command line and in the library", async () => {
    expect(json("regression-model", "metrics.json").meanSquaredError).toBeLessThan(1);
    const pairs = writeRows(join(folder, "pairs.jsonl"), rows.slice(0, 4));
    const lines = await predict(model, "--input", pairs, "--text-column", "a", "--pair-column", "b");
    for (const [i, { score }] of lines.entries()) expect(Math.abs(score - rows[i].n)).toBeLessThan(1.5);

    const similarity = await pipeline("sentence-similarity", model, options);
    const scores = await similarity(rows.slice(0, 4).map(({ a, b }) => ({ text: a, text_pair: b })));
    expect(scores).toEqual(lines.map(({ score }) => score));
    expect(await similarity({ text: rows[0].a, text_pair: rows[0].b })).toBeCloseTo(scores[0], 5);
    await similarity.dispose();

    const classify = await pipeline("text-classification", model, options);
    const result = await classify({ text: rows[0].a, text_pair: rows[0].b });
    expect(result).toEqual([{ label: "score", score: expect.closeTo(scores[0], 5) }]);
    await classify.dispose();
  });

  test("reranks: texts by their number, the best first", async () => {
    const rerank = await pipeline("rerank", model, options);
    const texts = ["bad", "good", "a bad b"];
    const ranked = await rerank({ query: "x", texts }, { return_text: true });
    expect(ranked[0]).toMatchObject({ index: 1, text: "good" });
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).toSorted((a, b) => b - a));
    expect(ranked.map(({ text, index }) => text === texts[index])).toEqual([true, true, true]);
    expect(await rerank({ query: "x", texts }, { top_k: 1 })).toEqual([
      { index: 1, score: expect.closeTo(ranked[0].score, 5) },
    ]);
    const several = await rerank([
      { query: "y", texts: [] },
      { query: "x", texts },
    ]);
    expect(several.map(({ length }) => length)).toEqual([0, 3]);
    await expectError(rerank({ query: "x", texts }, { top_k: 0 }), "OPTION_INVALID", "top_k");
    await rerank.dispose();
  });

  test("is what a single label means where config.json has no problem_type, as in Hugging Face's models", async () => {
    const bare = join(folder, "single-label");
    await cp(model, bare, { recursive: true });
    const { problem_type: _type, task_specific_params: _params, ...config } = json("regression-model", "config.json");
    writeFileSync(join(bare, "config.json"), JSON.stringify({ ...config, id2label: { 0: "LABEL_0" } }));
    expect(taskOf(await purposeOf(bare))).toBe("regression");
    const pair = ["--pairs", "x", "good"];
    expect(await predict(bare, ...pair)).toEqual(await predict(model, ...pair));
    expect(await predict(bare, "good")).toHaveLength(1); // which does not say that it reads pairs
  });

  test("of pairs is not asked about single texts, nor the other way round", async () => {
    const { regression: settings } = json("regression-model", "config.json").task_specific_params;
    expect(settings).toEqual({ trainedOnPairs: true });
    expect(readFileSync(join(model, "README.md"), "utf8")).toContain('predict . --pairs "some text" "another text"');
    const rate = await pipeline("text-classification", model, options);
    await expectError(rate("good"), "OPTION_INVALID", "trained on pairs of texts", "--pairs");
    await rate.dispose();
    const data = join(folder, "scores.jsonl");
    const half = ["--data", data, "--text-column", "a", "--score-column", "n"];
    for (const args of [
      ["predict", model, "good"],
      ["evaluate", model, ...half],
    ]) {
      const { code, stderr } = await cloze(args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("--pair-column") });
    }
    const columns = { textColumn: "a", pairColumn: "b", scoreColumn: "n" };
    const narrow = { model: base, train: data, output: join(folder, "narrow"), ...columns, maxLength: 4 };
    await expectError(finetune("regression", narrow), "OPTION_INVALID", "maxLength", "5 or more for pairs");
    const output = join(folder, "single-texts");
    const files = ["--model", base, "--train", data, "--output", output, "--epochs", "1"];
    const stdout = await succeed("finetune", "regression", ...files, "--text-column", "a", "--score-column", "n");
    expect(stdout).toContain(`cloze predict ${output} "some text"`);
    const single = await pipeline("text-classification", output, options);
    await expectError(single({ text: "a", text_pair: "b" }), "OPTION_INVALID", "trained on single texts");
    await single.dispose();
    for (const task of ["sentence-similarity", "rerank"] as const) {
      const opened = pipeline(task, output, options);
      await expectError(opened, "MODEL_INCOMPLETE", `no model for ${task}`, "a model of pairs", "of single texts");
    }
  });
});

describe("multiple choice", () => {
  const rows = examples(80).map(({ text, label }, i) => {
    const right = label === "positive" ? "good" : "bad";
    const choices = [right === "good" ? "bad" : "good", "x"].toSpliced(i % 3, 0, right);
    return { sent1: text, sent2: "it is", ending0: choices[0], ending1: choices[1], ending2: choices[2], label: i % 3 };
  });
  const columns = ["--choice-columns", "ending0,ending1,ending2"];
  let model: string;
  let data: string;
  beforeAll(async () => {
    data = writeRows(join(folder, "choices.jsonl"), rows);
    model = await train("multiple-choice", data, ...columns, "--epochs", "16");
  });

  test("reads SWAG's columns alike in training and in measuring, whether or not they are named", async () => {
    const measure = async (...args: string[]) =>
      JSON.parse(await succeed("evaluate", model, "--data", data, ...columns, "--json", "--threads", "1", ...args));
    const { accuracy } = json("multiple-choice-model", "metrics.json");
    const figures = await measure();
    expect(figures).toMatchObject({ accuracy, examples: 80 });
    expect(await measure("--context-column", "sent1", "--start-column", "sent2")).toEqual(figures);
  });

  test("learns what follows, and reads choices from the command line and from tables without labels", async () => {
    const { accuracy } = json("multiple-choice-model", "metrics.json");
    expect(accuracy).toBeGreaterThan(0.6);
    const [line] = await predict(model, "a good day", "it is bad", "it is good");
    expect(line).toMatchObject({ context: "a good day", choices: ["it is bad", "it is good"] });
    expect(line.scores[0] + line.scores[1]).toBeCloseTo(1, 6);
    expect(line.score).toBe(Math.max(...line.scores));
    expect(line.choice).toBe(line.choices[line.scores.indexOf(line.score)]);

    const unlabelled = rows.map(({ label: _label, ...row }) => row);
    const input = writeRows(join(folder, "unlabelled.jsonl"), [...unlabelled, { ...unlabelled[0], sent1: "" }]);
    const output = join(folder, "chosen.jsonl");
    const { code, stderr } = await cloze(["predict", model, "--input", input, ...columns, "--output", output]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `1 without a context and two choices skipped (first: ${input}, line 81)\n${output}: 80 predictions\n`,
    });
    const chosen = readFileSync(output, "utf8").trimEnd().split("\n");
    const right = chosen.filter((text, i) => JSON.parse(text).choice === Object.values(rows[i])[2 + rows[i].label]);
    expect(right.length / rows.length).toBe(accuracy);
  });

  test("is a pipeline, which takes different numbers of choices", async () => {
    const choose = await pipeline("multiple-choice", model, options);
    const [two, three] = await choose([
      { context: "a good day", choices: ["it is bad", "it is good"] },
      { context: "a bad day", start: "it is", choices: ["bad", "good", "x"] },
    ]);
    expect([two.scores.length, three.scores.length]).toEqual([2, 3]);
    const [line] = await predict(model, "a good day", "it is bad", "it is good");
    expect(two.choice).toBe(line.choice);
    expect(two.score).toBeCloseTo(line.score, 5);
    await expectError(choose({ context: "a", choices: ["b"] }), "OPTION_INVALID", "two choices or more");
    await expectError(choose({ context: "", choices: ["a", "b"] }), "TEXT_EMPTY", "a context is empty");
    await expectError(choose({ context: "a", choices: ["b", "", "c"] }), "TEXT_EMPTY", "a choice is empty");
    await choose.dispose();
  });

  test("takes an empty choice of the command line for none", async () => {
    const [line] = await predict(model, "a", "b", "c");
    const { code, stdout, stderr } = await cloze(["predict", model, "a", "b", "", "c"]);
    expect({ code, line: JSON.parse(stdout), stderr }).toEqual({
      code: 0,
      line,
      stderr: "1 with an empty choice (first: text 1)\n",
    });
    const skipped = "1 without a context and two choices skipped (first: text 1)\n";
    expect(await cloze(["predict", model, "a", "b", ""])).toMatchObject({ code: 0, stdout: "", stderr: skipped });
    const refused = await cloze(["predict", model, "", "b", "c", "--on-empty", "refuse"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("[TEXT_EMPTY]") });
  });

  test.each<[args: string[], complaint: string]>([
    [["a", "b"], "a context and two choices or more"],
    [[], "a context and two choices or more"],
    [["a", "b", "c", "--text-column", "x"], "has no --text-column"],
    [["a", "b", "c", "--threshold", "1"], "has no --threshold"],
  ])("of %j is wrong usage", async (args, complaint) => {
    const { code, stderr } = await cloze(["predict", model, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(complaint);
  });
});

describe("zero-shot classification", () => {
  const labels = ["neutral", "ENTAILMENT", "Contradiction"];
  const candidates = ["good", "bad", "x y"];
  let model: string;
  beforeAll(async () => {
    model = await writeTinyModel(join(folder, "entailment"), { labels, range: 1 });
  });

  /** The logits that Hugging Face's pipeline has for a text: a row of each candidate. */
  async function logitsOf(text: string, template = "This example is {}.") {
    const logits = await openTask(textClassificationLogits, model, options);
    const pairs = candidates.map((label) => ({ text, pair: template.replace("{}", label) }));
    const { results } = await logits.answer(pairs);
    await logits.dispose();
    return results.map((row) => Array.from(row));
  }

  const byLabel = (result: { labels: string[]; scores: number[] }) =>
    candidates.map((label) => result.scores[result.labels.indexOf(label)]);
  const expectClose = (actual: number[], expected: number[]) =>
    expect(actual).toEqual(expected.map((value) => expect.closeTo(value, 5)));

  test("has the scores that Hugging Face defines: entailment among the labels, or against contradiction", async () => {
    const classify = await pipeline("zero-shot-classification", model, options);
    const rows = await logitsOf("a good day");
    const entailment = rows.map((row) => Math.exp(row[1]));
    const total = entailment.reduce((a, b) => a + b);
    const result = await classify("a good day", candidates);
    expect(result.sequence).toBe("a good day");
    expect(result.scores).toEqual(result.scores.toSorted((a, b) => b - a));
    expectClose(
      byLabel(result),
      entailment.map((value) => value / total),
    );

    const alone = await classify("a good day", candidates, { multi_label: true });
    expectClose(
      byLabel(alone),
      rows.map((row) => Math.exp(row[1]) / (Math.exp(row[1]) + Math.exp(row[2]))),
    );
    // one candidate among itself would always be certain
    expectClose((await classify("a good day", ["good"])).scores, [byLabel(alone)[0]]);

    const template = "It is {}, isn't it?";
    const other = (await logitsOf("a good day", template)).map((row) => Math.exp(row[1]));
    const sum = other.reduce((a, b) => a + b);
    expectClose(
      byLabel(await classify("a good day", candidates, { hypothesis_template: template })),
      other.map((value) => value / sum),
    );
    await classify.dispose();
  });

  test("takes lists, and labels with $ in them", async () => {
    const classify = await pipeline("zero-shot-classification", model, options);
    const texts = ["a good day", "b"];
    const results = await classify(texts, ["$&", "good"]);
    expect(results.map(({ sequence }) => sequence)).toEqual(texts);
    expect(results[0].labels.toSorted()).toEqual(["$&", "good"]);
    expect(await classify([], candidates)).toEqual([]);
    await expectError(classify("a", []), "OPTION_INVALID", "no labels");
    await expectError(classify("a", candidates, { hypothesis_template: "x" }), "OPTION_INVALID", "{}");
    const nothing: { hypothesis_template: string } = JSON.parse('{ "hypothesis_template": null }');
    await expectError(classify("a", candidates, nothing), "OPTION_INVALID", "{}", "null");
    await classify.dispose();
  });

  test("counts a text that was cut once, whatever the labels, and no other", async () => {
    const entailment = await openEntailmentModel(model, options);
    const long = "good ".repeat(200);
    const counted = async (...texts: string[]) => (await classifyByEntailment(entailment, texts, candidates)).truncated;
    expect([await counted("good", long, long), await counted("good")]).toEqual([2, 0]);
    expect((await rerankTexts(entailment, [{ query: "good", texts: [long, "a", long] }])).truncated).toBe(2);
    await entailment.dispose();
  });

  test("needs a model of entailment, of which two labels are enough", async () => {
    const two = await writeTinyModel(join(folder, "two-way"), { labels: ["entailment", "not_entailment"] });
    const classify = await pipeline("zero-shot-classification", two, options);
    expect((await classify("a", candidates)).labels).toHaveLength(3);
    await classify.dispose();
    const sentiment = await writeTinyModel(join(folder, "sentiment"));
    await expectError(pipeline("zero-shot-classification", sentiment), "MODEL_INCOMPLETE", "or two labels", "negative");
    await expectError(pipeline("sentence-similarity", sentiment), "MODEL_INCOMPLETE", "got one of text-classification");
  });

  test("a classifier of pairs reranks by the label that says yes, or the one that is named", async () => {
    const rerank = await pipeline("rerank", model, options);
    const classify = await pipeline("text-classification", model, options);
    const scores = await classify({ text: "good", text_pair: "bad" }, { top_k: null });
    for (const label of [undefined, ...labels]) {
      const [{ score }] = await rerank({ query: "good", texts: ["bad"] }, { label });
      expect(score).toBeCloseTo(scores.find((found) => found.label === (label ?? "ENTAILMENT"))!.score, 5);
    }
    await expectError(rerank({ query: "a", texts: ["b"] }, { label: "1" }), "OPTION_INVALID", "ENTAILMENT");
    await rerank.dispose();
    await classify.dispose();
  });
});

describe("files of GLUE", () => {
  const texts = examples(12);
  const short = { epochs: 1, batchSize: 4, threads: 1 };
  const sst2 = () =>
    write(
      "sst2.tsv",
      `sentence\tlabel\n${texts.map(({ text, label }) => `${text}\t${label === "positive" ? 1 : 0}\n`).join("")}`,
    );
  const pairRows = (labels: readonly (string | number)[]) =>
    texts.map(({ text, label }, i) => [text, label, labels[i % labels.length]] as const);

  test.each([
    ["sst2", "accuracy", sst2],
    [
      "cola",
      "mcc",
      () => write("cola.tsv", texts.map(({ text }, i) => `gj04\t${i % 2}\t${i % 2 ? "" : "*"}\t${text}\n`).join("")),
    ],
    [
      "mrpc",
      "accuracy",
      () =>
        write(
          "mrpc.tsv",
          `\uFEFFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n${pairRows([1, 0])
            .map(([a, b, label]) => `${label}\t1\t2\t${a}\t${b}\r\n`)
            .join("")}`,
        ),
    ],
  ] as const)("%s trains a classifier, compared by %s", async (name, metric, file) => {
    const train = file();
    const output = join(folder, `glue-${name}`);
    const { metrics } = await finetune("text-classification", {
      ...short,
      format: `glue:${name}`,
      model: base,
      train,
      dev: train,
      output,
    });
    expect(metrics).toMatchObject({ examples: 12 });
    const config = json(`glue-${name}`, "config.json");
    expect(config.id2label).toEqual({ 0: "0", 1: "1" });
    expect(config.task_specific_params["text-classification"].metric).toBe(metric);
    expect(json(`glue-${name}`, "training.json").best.evaluation.score).toBe(Number(metrics?.[metric]));
  });

  test("mnli has its labels in the official order, which is not the alphabet's", async () => {
    const header = ["index", "promptID", "pairID", "sentence1", "sentence2", "label1", "gold_label"];
    const rows = pairRows(["neutral", "contradiction", "entailment", "-"]).map(([a, b, label]) =>
      [1, 2, 3, a, b, label, label].join("\t"),
    );
    const data = write("mnli.tsv", [header.join("\t"), ...rows].join("\n"));
    const output = join(folder, "glue-mnli");
    await finetune("text-classification", { ...short, format: "glue:mnli", model: base, train: data, output });
    expect(Object.values(json("glue-mnli", "config.json").id2label)).toEqual([
      "entailment",
      "neutral",
      "contradiction",
    ]);
    const figures = await succeed("evaluate", output, "--data", data, "--format", "glue:mnli", "--json");
    expect(JSON.parse(figures)).toMatchObject({ examples: 9, skipped: { "without label": 3 } });
  });

  test("are predicted for as they are measured, with labels or without", async () => {
    const output = join(folder, "glue-pairs");
    const labelled = `index\tsentence1\tsentence2\tlabel\n${pairRows(["entailment", "not_entailment"])
      .map(([a, b, label], i) => `${i}\t"${a}\t${b}\t${label}\n`)
      .join("")}`;
    const data = write("rte.tsv", labelled);
    await finetune("text-classification", { ...short, format: "glue:rte", model: base, train: data, output });
    const lines = await predict(output, "--input", data, "--format", "glue:rte");
    expect(lines.map(({ text, pair }) => [text, pair])).toEqual(texts.map(({ text, label }) => [`"${text}`, label]));
    const unlabelled = write("rte-test.tsv", labelled.replaceAll(/\t[^\t\n]*\n/g, "\n"));
    expect(await predict(output, "--input", unlabelled, "--format", "glue:rte")).toEqual(lines);
    const table = ["--text-column", "sentence1", "--pair-column", "sentence2"];
    expect(await predict(output, "--input", write("rte.txt", labelled), ...table)).toEqual(lines);
    const both = await cloze(["predict", output, "--input", data, "--format", "glue:rte", ...table]);
    expect(both.stderr).toContain("--text-column has no meaning beside --format glue:rte");
    const again = { ...short, model: base, train: unlabelled, output: join(folder, "glue-none") };
    const training = finetune("text-classification", { ...again, format: "glue:rte" });
    await expectError(training, "COLUMN_MISSING", "test files have none", "cloze predict --format glue:rte");
  });

  test("stsb trains a regression, and no classifier", async () => {
    const rows = pairRows([0, 2.5, "5.000"]).map(([a, b, score]) => `main\tMSR\t2012\t1\t${score}\t${a}\t${b}\n`);
    const train = write("sts-train.tsv", rows.join(""));
    const output = join(folder, "glue-stsb");
    const files = { ...short, format: "glue:stsb" as const, model: base, train, dev: train, output };
    await expectError(finetune("text-classification", files), "OPTION_INVALID", "glue:stsb is about regression");
    const { metrics } = await finetune("regression", files);
    expect(metrics).toMatchObject({ examples: 12, spearman: expect.any(Number), pearson: expect.any(Number) });
    expect(json("glue-stsb", "config.json").problem_type).toBe("regression");
  });
});

describe("long documents in windows", () => {
  const filler = "q ".repeat(40);
  const rows = Array.from({ length: 40 }, (_, i) => {
    const [word, label] = i % 2 === 0 ? ["good", "positive"] : ["bad", "negative"];
    return { text: `${filler}${word} ${"xyz"[i % 3]}`, label }; // beyond the first 32 tokens
  });

  test("are learnt and judged whole, where cutting them leaves nothing to learn", async () => {
    const data = writeRows(join(folder, "long.jsonl"), rows);
    const length = ["--max-length", "32"];
    const windows = ["--long", "windows", "--stride", "4"];
    const output = await train("text-classification", data, ...length, ...windows);
    const { accuracy } = json("text-classification-model", "metrics.json");
    expect(accuracy).toBeGreaterThan(0.9);
    const whole = await cloze(["evaluate", output, "--data", data, "--json"]);
    expect(whole.stderr).not.toContain("cut");
    expect(JSON.parse(whole.stdout)).toMatchObject({ accuracy, truncated: 0 });
    const cut = await cloze(["evaluate", output, "--data", data, "--long", "truncate", "--json"]);
    expect(cut.stderr).toContain("40 longer than the maximum length, cut");
    expect(JSON.parse(cut.stdout).accuracy).toBe(0.5);
    expect(await predict(output, rows[0].text)).toMatchObject([{ label: "positive" }]);
  });
});
