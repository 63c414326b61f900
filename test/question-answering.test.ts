/** Question answering from end to end: fine-tuned on a SQuAD file, then in the library and on the command line. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, type FinetuneEvent, finetune, pipeline, type Question, type QuestionAnsweringPipeline } from "cloze";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Random } from "../src/base/random.ts";
import { predictCommand } from "../src/cli/predict.ts";
import { encodeAnswers } from "../src/formats/squad.ts";
import { scorePredictions } from "../src/tasks/score-predictions.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { writeRows, writeTinyPretrainedModel } from "./tiny-model.ts";

/** A context of letters that says "good bad" at some word, or nowhere: that is the answer, whatever the question. */
function contextOf(words: number, place: number | undefined, seed = 1): string {
  const random = Random.of(seed, "context");
  const context = Array.from({ length: words }, () => "acefhijk"[random.below(8)]);
  if (place !== undefined) context.splice(place, 2, "good", "bad");
  return context.join(" ");
}

interface Asked extends Question {
  readonly id: string;
  readonly place: number | undefined;
}

/** Questions about contexts of one window to three, each third one without an answer. */
function questions(count: number, seed: number): Asked[] {
  const random = Random.of(seed, "questions");
  return Array.from({ length: count }, (_, i) => {
    const words = 10 + random.below(90);
    const place = i % 3 === 2 ? undefined : random.below(words - 1);
    return { id: `q${seed}-${i}`, question: "w", context: contextOf(words, place, seed * 1000 + i), place };
  });
}

function writeSquad(path: string, asked: readonly Asked[]): string {
  const paragraphs = asked.map(({ id, question, context, place }) => {
    const answers = place === undefined ? [] : [{ text: "good bad", answer_start: context.indexOf("good") }];
    return { context, qas: [{ id, question, answers, is_impossible: place === undefined }] };
  });
  writeFileSync(path, JSON.stringify({ version: "v2.0", data: [{ title: "t", paragraphs }] }));
  return path;
}

const dev = questions(30, 2);
const training = { batchSize: 16, epochs: 12, learningRate: 3e-3, maxLength: 64, stride: 16, threads: 1 };
let folder: string;
let base: string;
let train: string;
let devFile: string;
let model: string;
let answer: QuestionAnsweringPipeline;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-questions-"));
  base = await writeTinyPretrainedModel(join(folder, "base"), { range: 0.1 });
  train = writeSquad(join(folder, "train.json"), questions(300, 1));
  devFile = writeSquad(join(folder, "dev.json"), dev);
  model = join(folder, "model");
  await finetune("question-answering", { ...training, model: base, train, dev: devFile, output: model });
  answer = await pipeline("question-answering", model, { threads: 1 });
});
afterAll(async () => {
  await answer?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe("the pipeline", () => {
  const best = (context: string, found: { score: number; start: number; end: number; answer: string }) =>
    found.answer === context.slice(found.start, found.end) && found.answer === "good bad";

  test("finds the answer in short contexts, and that there is none", async () => {
    const answers = await answer(dev);
    dev.forEach(({ context, place }, i) => {
      if (place !== undefined) expect(best(context, answers[i])).toBe(true);
      else expect(answers[i]).toEqual({ score: expect.any(Number), start: 0, end: 0, answer: "" });
    });
    expect(await answer(dev[0])).toEqual(answers[0]);
    expect(await answer([])).toEqual([]);
  });

  test("finds an answer at any token of a long text, also where windows begin and end", async () => {
    const words = 3000;
    const step = 60 - 16; // 64 tokens, less the question and three special ones, less the stride
    const borders = [1, 2, 17, 40, 66].flatMap((k) => [-2, -1, 0, 15, 16, 17].map((near) => k * step + near));
    const places = [0, 1, 43, 44, 58, 59, 1500, 2222, 2996, 2997, 2998, ...borders];
    const asked = places.map((place) => ({ question: "w", context: contextOf(words, place, place) }));
    const answers = await answer(asked, { handle_impossible_answer: false });
    expect(places.filter((_, i) => !best(asked[i].context, answers[i]))).toEqual([]);
    expect(answers.map(({ start }) => start)).toEqual(places.map((place) => 2 * place));
  });

  test("gives several answers, best first", async () => {
    const [one, none] = [dev[0], dev[2]];
    const listed = await answer(one, { top_k: 3 });
    if (!Array.isArray(listed)) throw new Error("expected a list");
    expect(listed).toHaveLength(3);
    expect(listed[0]).toEqual(await answer(one));
    expect(listed.map(({ score }) => score)).toEqual(listed.map(({ score }) => score).toSorted((a, b) => b - a));
    const all = await answer([one, none], { top_k: 100 });
    for (const list of all) {
      if (!Array.isArray(list)) throw new Error("expected lists");
      expect(list).toHaveLength(21);
      expect(list.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
      expect(list.filter((found) => found.answer === "")).toHaveLength(1);
    }
  });

  test("takes its options under Hugging Face's names", async () => {
    const [one, none] = [dev[0], dev[2]];
    expect(await answer(none, { handle_impossible_answer: false })).not.toMatchObject({ answer: "" });
    await expectError(answer({ question: "w", context: " " }), "TEXT_EMPTY", "a context is empty");
    await expectError(answer([one, { question: "", context: "w" }]), "TEXT_EMPTY", "a question is empty");
    expect(await answer(one, { max_answer_len: 1, handle_impossible_answer: false })).toMatchObject({
      answer: expect.stringMatching(/^\S+$/),
    });
    const long = { ...one, question: "w ".repeat(70) };
    await expectError(answer(long), "TRUNCATION_IMPOSSIBLE", "a question leaves no room", "Lower maxQuestionLength");
    expect(await answer(long, { max_question_len: 1 })).toEqual(await answer(one));
    await expectError(
      answer({ question: "w", context: contextOf(61, 5) }, { doc_stride: 60 }),
      "TRUNCATION_IMPOSSIBLE",
      "stride",
    );
    await expectError(answer(one, { max_answer_len: 0 }), "OPTION_INVALID", "maxAnswerLength");
    await expectError(answer(one, { top_k: 0 }), "OPTION_INVALID", "top_k");
  });

  test("reports its progress", async () => {
    const seen: number[] = [];
    const many = Array.from({ length: 300 }, () => ({ question: "w", context: "good bad" }));
    await answer(many, { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([256, 300]);
  });
});

describe("a file whose contexts have emoji, other scripts and CRLF", () => {
  const ANSWER = "good 😀\r\nbad";

  /** The answer stands behind characters of two UTF-16 units; `answer_start` counts code points, as SQuAD's own files do. */
  function paragraphs(count: number, seed: number) {
    const random = Random.of(seed, "scripts");
    const pieces = ["😀", "👩‍👩‍👧", "🇩🇪", "日本", "𠮷", "שלום", "\u202eمرحبا", "한", "e\u0301", "a", "c", "k"];
    const some = (most: number) =>
      Array.from({ length: random.below(most) }, () => pieces[random.below(pieces.length)]);
    return Array.from({ length: count }, (_, i) => {
      const before = `${["😀", ...some(12)].join(" ")}\r\n${["日", " ", "語"][i % 3]}`;
      const context = `${before}${ANSWER} ${some(12).join("\r\n")}`;
      return { context, qas: [asked(`s${seed}-${i}`, ANSWER, [...before].length)] };
    });
  }

  test("has its answers learnt and found in their places", async () => {
    const write = (name: string, paragraphs: readonly object[]) => {
      writeFileSync(join(folder, name), JSON.stringify({ data: [{ paragraphs }] }));
      return join(folder, name);
    };
    const learnt = write("scripts.json", paragraphs(150, 1));
    const rows = paragraphs(20, 2);
    const asked = write("new-scripts.json", rows);
    const found = join(folder, "scripts");
    const events: FinetuneEvent[] = [];
    const onEvent = (event: FinetuneEvent) => void events.push(event);
    const options = { ...training, epochs: 10, model: base, train: learnt, output: found, onEvent };
    await finetune("question-answering", options);
    expect(events).toContainEqual(expect.objectContaining({ kind: "data", examples: 150, notes: {} }));
    const { stdout } = await cloze(["predict", found, "--input", asked, "--threads", "1"]);
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toHaveLength(20);
    answers.forEach(({ id, answer, start, end }, i) => {
      const { context, qas } = rows[i];
      expect({ id, answer, text: context.slice(start, end) }).toEqual({ id: qas[0].id, answer: ANSWER, text: ANSWER });
      expect(start).toBeGreaterThan(qas[0].answers[0].answer_start);
    });
  });
});

/** A file with questions about one context, "w" each. */
function writeQuestions(name: string, context: string, qas: readonly object[]): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify({ data: [{ paragraphs: [{ context, qas }] }] }));
  return file;
}

const asked = (id: string, text: string, answer_start: number, question = "w") => ({
  id,
  question,
  answers: [{ text, answer_start }],
});

describe("answers that are not in their places", () => {
  const astray = "with no answer where the file says that it stands";
  const context = "a good bad e";
  const qas = [
    asked("right", "good bad", 2),
    asked("wrong", "good bad", 3),
    asked("elsewhere", "good bad there", 0),
    {
      ...asked("several", "never", 0),
      answers: [asked("", "never", 0), asked("", "Good, BAD!", 2)].flatMap((q) => q.answers),
    },
    { id: "impossible", question: "w", answers: [], is_impossible: true },
    asked("blank", "good bad", 2, " "),
  ];

  test("or of a question that is said to have none are told", async () => {
    const contradictory = { ...asked("contradictory", "good bad", 2), is_impossible: true };
    const file = writeQuestions("contradictory.json", context, [...qas, contradictory]);
    const { notes, places, metrics } = await evaluate("question-answering", model, file, { threads: 1 });
    const what = "said to be impossible, with answers all the same";
    expect(notes).toMatchObject({ [what]: 1 });
    expect(places).toMatchObject({ [what]: [`${file}, question contradictory`] });
    expect(metrics).toMatchObject({ hasAnswer: { total: 5 } });
  });

  test("count in the figures of a model and of predictions", async () => {
    const file = writeQuestions("misplaced.json", context, qas);
    const { metrics, skipped } = await evaluate("question-answering", model, file, { threads: 1, nullThreshold: 1e9 });
    const figures = {
      exactMatch: expect.closeTo(3 / 5, 12),
      f1: expect.closeTo((3 + 4 / 5) / 5, 12),
      hasAnswer: { exactMatch: 3 / 4, f1: expect.closeTo((3 + 4 / 5) / 4, 12), total: 4 },
      noAnswer: { exactMatch: 0, f1: 0, total: 1 },
    };
    expect(metrics).toMatchObject({ examples: 5, ...figures });
    expect(skipped).toEqual({ "with an empty context": 0, "with an empty question": 1 });

    const predictions = join(folder, "misplaced-predictions.json");
    writeFileSync(predictions, encodeAnswers(new Map(qas.map(({ id }) => [id, "good bad"]))));
    const scored = await scorePredictions({ predictions, data: file });
    expect(scored).toMatchObject({ metrics: { examples: 5, unknown: 1, ...figures }, skipped });
    const others = join(folder, "other-predictions.json");
    writeFileSync(others, encodeAnswers(new Map([["other", "good bad"]])));
    const refused = scorePredictions({ predictions: others, data: file });
    await expectError(refused, "FILE_EMPTY", `no id of ${others} occurs in ${file}`, '"right"', '"other"');
    expect(scored.places).toMatchObject({
      "with an empty context": [],
      "with an empty question": [`${file}, question blank`],
      [astray]: ["wrong", "elsewhere", "several"].map((id) => `${file}, question ${id}`),
    });
    expect(scored.notes).toMatchObject({ [astray]: 3 });
  });

  test("are not learnt from, nor are those that no window holds, nor is it learnt that there are none", async () => {
    const long = contextOf(100, 90);
    const end = long.indexOf(" ", 150);
    const learnable = writeSquad(join(folder, "learnable.json"), questions(4, 9));
    const { data } = JSON.parse(readFileSync(learnable, "utf8"));
    data[0].paragraphs.push({ context, qas });
    data[0].paragraphs.push({ context: long, qas: [asked("long", long.slice(0, end), 0), asked("unknown", "", 0)] });
    writeFileSync(learnable, JSON.stringify({ data }));
    const events: FinetuneEvent[] = [];
    const once = { ...training, epochs: 1, maxLength: 32, maxQuestionLength: 4, stride: undefined };
    const output = join(folder, "learnt");
    const onEvent = (event: FinetuneEvent) => void events.push(event);
    await finetune("question-answering", { ...once, model: base, train: learnable, output, onEvent });
    const [told] = events.flatMap((event) => (event.kind === "data" ? event : []));
    expect(told.examples).toBe(4 + 2); // those of the file, "right" and "impossible"
    expect(Object.values(told.skipped).reduce((sum, count) => sum + count)).toBe(1 + 5);
    expect(told.skipped).toMatchObject({ [astray]: 4, "without anything to learn": 1 });
    expect(told.notes).toEqual({});
    const left = Object.values(told.places ?? {}).flat();
    const ids = ["blank", "wrong", "elsewhere", "several", "long", "unknown"];
    expect(left.toSorted()).toEqual(ids.map((id) => `${learnable}, question ${id}`).toSorted());
  });

  test("leave nothing to learn where there are no others", async () => {
    const file = writeQuestions("nowhere.json", context, [asked("a", "good", 0)]);
    const all = { ...training, model: base, train: file, output: join(folder, "nowhere") };
    await expectError(finetune("question-answering", all), "FILE_EMPTY", "nothing to learn", `1 example ${astray}`);
  });
});

test("a stride without room is refused before anything is trained, and follows the room unless told", async () => {
  const output = join(folder, "strides");
  const short = { ...training, epochs: 1, maxLength: 32, model: base, train, output };
  await expectError(finetune("question-answering", { ...short, stride: 28 }), "TRUNCATION_IMPOSSIBLE", "below 28");
  await finetune("question-answering", { ...short, stride: undefined });
  const { task_specific_params } = JSON.parse(readFileSync(join(output, "config.json"), "utf8"));
  expect(task_specific_params["question-answering"]).not.toHaveProperty("stride");
  const { metrics } = await evaluate("question-answering", output, devFile, { threads: 1 });
  expect(metrics).toMatchObject({ examples: 30 });
});

test("questions that are cut are counted", async () => {
  const qas = [asked("a", "good bad", 2, "a b c d"), asked("b", "good bad", 2, "a b c")];
  const [one, several] = ["a good bad e", `a good bad ${contextOf(200, undefined)}`].map((context, i) =>
    writeQuestions(`cut-${i}.json`, context, qas),
  );
  for (const file of [one, several]) {
    const cutAt = async (maxQuestionLength: number) =>
      (await evaluate("question-answering", model, file, { threads: 1, maxQuestionLength })).truncated;
    expect([await cutAt(2), await cutAt(3), await cutAt(4)]).toEqual([2, 1, 0]);
  }
});

describe("the command line", () => {
  const rows = (stdout: string) =>
    stdout
      .trimEnd()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line));

  test.concurrent("answers a question, or those of a table", async () => {
    const { question, context } = dev[0];
    const expected = { question, ...(await answer(dev[0])), no_answer: expect.any(Number) };
    const { stdout, stderr } = await cloze(["predict", model, question, context, "--threads", "1"]);
    expect({ stderr, rows: rows(stdout) }).toEqual({ stderr: "", rows: [expected] });
    const table = writeRows(join(folder, "table.jsonl"), [
      { question, context, other: 1 },
      { question, context: " " },
    ]);
    expect(await cloze(["predict", model, "--input", table, "--threads", "1"])).toEqual({
      code: 0,
      signal: null,
      stdout,
      stderr: `1 without text skipped (first: ${table}, line 2)\n`,
    });
    const must = await cloze(["predict", model, "w", dev[2].context, "--no-unanswerable", "--threads", "1"]);
    const forced = await answer(dev[2], { handle_impossible_answer: false });
    expect(rows(must.stdout)).toEqual([{ question: "w", ...forced }]);
    const listed = await cloze(["predict", model, question, context, "--threads", "1", "--top-k", "2"]);
    expect(rows(listed.stdout)).toEqual([
      { question, answers: await answer(dev[0], { top_k: 2 }), no_answer: expect.any(Number) },
    ]);
  });

  test("shows how it goes as the answers come, also where their file is written at the end", async () => {
    const qas = Array.from({ length: 1030 }, (_, i) => asked(`many-${i}`, "good bad", 2)); // 1,024 are answered at once
    const file = writeQuestions("many.json", "a good bad e", qas);
    const output = join(folder, "many-answers.json");
    const written: string[] = [];
    const { isTTY } = process.stderr;
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    const error = vi.spyOn(console, "error").mockReturnValue();
    const on = vi.spyOn(process, "on").mockReturnValue(process); // leaves no listeners of signals
    Object.assign(process.stderr, { isTTY: true });
    try {
      await predictCommand().parseAsync([model, "--input", file, "--output", output, "--threads", "1"], {
        from: "user",
      });
    } finally {
      Object.assign(process.stderr, { isTTY });
      for (const spy of [write, error, on]) spy.mockRestore();
    }
    expect(written.join("")).toMatch(/predicting 1,024 texts .*predicting 1,030 texts /s);
    expect(Object.keys(JSON.parse(readFileSync(output, "utf8")))).toHaveLength(1030);
  });

  test.concurrent("fine-tunes, evaluates, predicts, and scores what was predicted", async () => {
    const output = join(folder, "by-command");
    const options = "--batch-size 16 --epochs 12 --learning-rate 3e-3 --max-length 64 --stride 16 --threads 1".split(
      " ",
    );
    const files = ["--train", train, "--dev", devFile, "--output", output];
    const trained = await cloze(["finetune", "question-answering", "--model", base, ...files, ...options, "--json"]);
    expect(trained.code, trained.stderr).toBe(0);
    const { metrics, files: read } = JSON.parse(trained.stdout);
    expect(read).toMatchObject([
      { file: train, examples: 300, truncated: 0, skipped: { "with an empty context": 0 } },
      { file: devFile, examples: 30 },
    ]);
    expect(metrics).toMatchObject({ examples: 30, hasAnswer: { total: 20 }, best: { f1: 1 } });

    const evaluated = await cloze(["evaluate", output, "--data", devFile, "--threads", "1", "--json"]);
    const figures = JSON.parse(evaluated.stdout);
    expect(figures).toMatchObject({ examples: 30, exactMatch: 1, f1: metrics.best.f1 });
    const never = await cloze(["evaluate", output, "--data", devFile, "--null-threshold", "-1e9", "--json"]);
    expect(JSON.parse(never.stdout)).toMatchObject({ f1: 1 / 3, noAnswer: { f1: 1 } });

    const answers = join(folder, "answers.jsonl");
    const predicted = await cloze(["predict", output, "--input", devFile, "--output", answers, "--threads", "1"]);
    expect(predicted.stderr).toBe(`${answers}: 30 predictions\n`);
    const lines = rows(readFileSync(answers, "utf8"));
    expect(lines.map(({ id }) => id)).toEqual(dev.map(({ id }) => id));
    expect(lines[0]).toEqual({
      id: dev[0].id,
      question: "w",
      answer: "good bad",
      start: dev[0].context.indexOf("good"),
      end: dev[0].context.indexOf("good") + 8,
      score: expect.any(Number),
      no_answer: expect.any(Number),
    });

    const predictions = join(folder, "predictions.json");
    writeFileSync(predictions, encodeAnswers(new Map(lines.map(({ id, answer }) => [String(id), String(answer)]))));
    const scored = await cloze(["evaluate", "--predictions", predictions, "--data", devFile, "--json"]);
    const { best, labels, truncated, loss, ...shared } = figures;
    expect(loss).toBeGreaterThan(0);
    expect({ best, labels, truncated }).toMatchObject({ labels: [], truncated: 0 });
    expect(JSON.parse(scored.stdout)).toEqual({ ...shared, missing: 0, unknown: 0 });

    const spans = join(folder, "spans.json"); // what they would be if there had to be one
    const scores = join(folder, "scores.json");
    writeFileSync(spans, JSON.stringify(Object.fromEntries(lines.map(({ id }) => [id, "good bad"]))));
    writeFileSync(scores, JSON.stringify(Object.fromEntries(lines.map((line) => [line.id, line.no_answer]))));
    const withScores = ["evaluate", "--predictions", spans, "--null-scores", scores, "--data", devFile];
    const swept = await cloze([...withScores, "--null-threshold", "0.5", "--json"]);
    expect(JSON.parse(swept.stdout)).toMatchObject({ f1: 1, best: { f1: 1 } });
    const table = await cloze(withScores);
    expect(table.stdout).toMatch(/^examples +30\nexact match +0\.6667\nF1 +0\.6667\nmissing +0\n/);
  });

  test.concurrent("tells defaults as each command has them", async () => {
    const help = async (...command: string[]) => (await cloze([...command, "--help"])).stdout.replace(/\s+/g, " ");
    const best = "to be given (default: the best for --dev)";
    const models = "to be given (default: the model's)";
    const trained = await help("finetune", "question-answering");
    expect(trained).toContain(best);
    expect(trained).toContain("(default: if some have)");
    expect(trained).toContain(
      "--max-length <n> tokens of a sequence at most (default: 384, or as many as the model takes)",
    );
    expect(trained).not.toContain("--no-unanswerable");
    for (const told of [await help("predict"), await help("evaluate")]) {
      expect(told).toContain(models);
      expect(told).toContain("--no-unanswerable");
      expect(told).not.toContain("the best for --dev");
      expect(told).not.toContain("if some have");
    }
    expect(await help("evaluate")).toContain("the null score above which an answer counts as none (default: 1)");
  });

  test.concurrent("answers the questions of a file that has no answers", async () => {
    const blind = join(folder, "blind.json");
    const qas = [
      { id: 7, question: "w" },
      { id: "8", question: " " },
    ];
    writeFileSync(blind, JSON.stringify({ data: [{ paragraphs: [{ context: "a good bad e", qas }] }] }, null, 2));
    const { stdout, stderr } = await cloze(["predict", model, "--input", blind]);
    expect(stderr).toBe(`1 with an empty question skipped (first: ${blind}, question 8)\n`);
    expect(rows(stdout)).toMatchObject([{ id: "7", answer: "good bad", start: 2, end: 10 }]);
    const refused = await cloze(["predict", model, "--input", blind, "--on-empty", "refuse"]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("question 8 has an empty question") });
    const piped = await cloze(["predict", model], { input: readFileSync(blind, "utf8") });
    expect(piped.stdout).toBe(stdout);
    expect(piped.stderr).toBe("1 with an empty question skipped (first: standard input, question 8)\n");
  });

  test.concurrent("reads a table from standard input too, and nothing else", async () => {
    const { question, context } = dev[0];
    const { stdout } = await cloze(["predict", model, question, context]);
    const input = `${JSON.stringify({ question, context })}\n`;
    expect(await cloze(["predict", model], { input })).toMatchObject({ code: 0, stdout, stderr: "" });
    for (const [wrong, code] of [
      ["", "FILE_EMPTY"],
      ["a text\n", "FORMAT_UNKNOWN"],
    ]) {
      const refused = await cloze(["predict", model], { input: wrong });
      expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(code) });
    }
  });

  test.concurrent.each<[string, (paths: { model: string; data: string }) => string[], string]>([
    ["no context", ({ model }) => ["predict", model, "w"], "an even number of texts"],
    ["neither", ({ data }) => ["evaluate", "--data", data], "missing required argument 'dir', or --predictions"],
    ["both", ({ model, data }) => ["evaluate", model, "--predictions", data, "--data", data], "without a model folder"],
    [
      "a stride",
      ({ data }) => ["evaluate", "--predictions", data, "--data", data, "--stride", "3"],
      "evaluate --predictions has no --stride",
    ],
    [
      "null scores",
      ({ model, data }) => ["evaluate", model, "--data", data, "--null-scores", data],
      "this one is for --predictions",
    ],
    [
      "a threshold alone",
      ({ data }) => ["evaluate", "--predictions", data, "--data", data, "--null-threshold", "3"],
      "--null-scores beside --null-threshold",
    ],
  ])("%s is a usage error", async (_, args, complaint) => {
    const { code, stdout, stderr } = await cloze(args({ model, data: devFile }));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  test.concurrent("a file of questions is no file of predictions", async () => {
    const { code, stderr } = await cloze(["evaluate", "--predictions", devFile, "--data", devFile]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/a file of questions.*\[FORMAT_UNKNOWN\]/),
    });
  });
});
