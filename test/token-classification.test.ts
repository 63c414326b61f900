/** Token classification from file to entity: what is learnt, what is found and where, in the library and by command. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { Random } from "../src/base/random.ts";
import { formatConll } from "../src/formats/conll.ts";
import { groupEntities, judgedText, labelTokens } from "../src/tasks/definitions/entity-aggregation.ts";
import { tokenClassification } from "../src/tasks/definitions/token-classification.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import type { TokenClassificationPipeline } from "../src/tasks/pipelines/token-pipeline.ts";
import { isConllName, readTaggedSentences, readUntaggedSentences } from "../src/tasks/readers/tagged-sentences.node.ts";
import { InputCounts } from "../src/tasks/run/input-counts.ts";
import { finetune, TASKS } from "../src/tasks/task-table.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { VOCABULARY, writeTinyPretrainedModel } from "./tiny-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-tokens-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type TaggedWord = readonly [word: string, tag: string];
type Word = readonly [word: string];

function writeConll(name: string, sentences: readonly (readonly (TaggedWord | Word)[])[]): string {
  const path = join(folder, name);
  writeFileSync(path, sentences.map((words) => `${words.map((word) => word.join(" ")).join("\n")}\n`).join("\n"));
  return path;
}

const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);

const plain = { scheme: "plain", aggregationStrategy: "simple" } as const;

describe("what there is to learn", () => {
  const words = ["good", "xyz", "bad", "yz", "z"];
  const gold = ["A", "B", "C", "B", "A"];
  const placeOf = (word: number) => `file, line ${word + 1}`;
  const example = { input: words, gold: { tags: gold, placeOf }, place: placeOf(0) };

  function targets(maxLength: number, stride: number): number[][] {
    const context = { tokenizer, labels: ["A", "B", "C"], maxLength, settings: { ...plain, stride } };
    const encodings = tokenClassification.encode(words, context);
    return tokenClassification.features(example, encodings, context).map(({ target }) => [...target]);
  }

  test("is the label of a word at its first piece", () => {
    expect(targets(128, 0)).toEqual([[-1, 0, 1, -1, -1, 2, 1, -1, 0, -1]]);
  });

  test("in windows: each word once, at its first piece, where most is seen around it", () => {
    // good x ##y ##z | ##y ##z bad y | bad y ##z z
    expect(targets(6, 2)).toEqual([
      [-1, 0, 1, -1, -1, -1],
      [-1, -1, -1, 2, -1, -1],
      [-1, -1, 1, -1, 0, -1],
    ]);
    // good x ##y | ##z bad y | ##z z
    expect(targets(5, 0)).toEqual([
      [-1, 0, 1, -1, -1],
      [-1, -1, 2, 1, -1],
      [-1, -1, 0, -1],
    ]);
  });

  test("is read in windows that follow the room, unless a stride was told, which must leave some", () => {
    const context = (maxLength: number, stride?: number) => ({
      tokenizer,
      labels: ["A", "B"],
      maxLength,
      settings: { ...plain, stride },
    });
    const input = Array(100).fill("good");
    for (const maxLength of [3, 4, 5, 16, 34, 128]) {
      const [first, second] = tokenClassification.encode(input, context(maxLength));
      const step = maxLength - 2 - Math.min(32, (maxLength - 2) >> 1);
      expect(second?.wordIds[1] ?? step).toBe(step);
      expect(first.length).toBeLessThanOrEqual(maxLength);
    }
    for (const words of [["good"], input]) {
      expect(() => tokenClassification.encode(words, context(34, 32))).toThrow(
        expect.objectContaining({ code: "TRUNCATION_IMPOSSIBLE", message: expect.stringContaining("below 32") }),
      );
    }
  });

  test("weighs words alike, however many tokens they have", () => {
    const context = {
      tokenizer,
      labels: ["A", "B", "C"],
      maxLength: 6,
      settings: { ...plain, stride: 2 },
    };
    const features = tokenClassification.features(example, tokenClassification.encode(words, context), context);
    const { labels, weights } = tokenClassification.targets(features, features);
    expect(Array.from(weights.data, Number).filter((weight) => weight > 0)).toEqual(Array(5).fill(Math.fround(1 / 5)));
    expect(Math.min(...Array.from(labels.data, Number))).toBe(0);
  });

  test("a word of 10 MB is one unknown token", () => {
    const context = { tokenizer, labels: ["A", "B"], maxLength: 8, settings: { ...plain, stride: 0 } };
    const input = ["good", "x".repeat(10_000_000), "bad"];
    const encodings = tokenClassification.encode(input, context);
    expect(encodings.map(({ tokens }) => tokens)).toEqual([["[CLS]", "good", "[UNK]", "bad", "[SEP]"]]);
    const long = { input, gold: { tags: ["A", "B", "A"], placeOf }, place: "" };
    expect(tokenClassification.features(long, encodings, context)).toMatchObject([
      { target: Int32Array.of(-1, 0, 1, 0, -1) },
    ]);
  });

  test.each([
    ["ROW_MALFORMED", "L-X", 'file, line 3 has a malformed tag; expected O, or B-, I-, E- or S- .*; got "L-X"'],
    ["LABEL_UNKNOWN", "B-Y", 'file, line 3 has a tag that the model does not know; expected .*; got "B-Y"[.]'],
    [
      "LABEL_UNKNOWN",
      "I-Y",
      'file, line 3 has a tag that the model does not know; .*; got "I-Y", which is "B-Y" in IOB2',
    ],
  ])("%s names the line of the tag %s", (code, tag, message) => {
    const settings = { ...plain, scheme: "IOB2", stride: 0 } as const;
    const context = { tokenizer, labels: ["B-X", "I-X", "O"], maxLength: 8, settings };
    const wrong = { input: words.slice(0, 3), gold: { tags: ["I-X", "O", tag], placeOf }, place: placeOf(0) };
    const features = () =>
      tokenClassification.features(wrong, tokenClassification.encode(wrong.input, context), context);
    expect(features).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

/** Answers in which each word is one token that surely has its tag. */
function sureAnswers(sentences: readonly (readonly string[])[], labels: readonly string[]) {
  return sentences.map((tags) =>
    tags.map((tag, word) => ({
      token: "a",
      word,
      start: 0,
      end: 1,
      probabilities: Float32Array.from(labels, (label) => (label === tag ? 1 : 0)),
    })),
  );
}

describe("figures", () => {
  const score = (
    scheme: "IOB1" | "IOB2" | "BIOES" | "plain",
    labels: string[],
    gold: string[],
    predicted: string[],
  ) => {
    const split = (sentences: string[]) => sentences.map((tags) => tags.split(" "));
    const examples = split(gold).map((tags) => ({ input: tags, gold: { tags, placeOf: String }, place: "" }));
    const context = { labels, settings: { ...plain, scheme, stride: 0 } };
    return tokenClassification.score(examples, sureAnswers(split(predicted), labels), context);
  };

  test("of entities count the transitions that were predicted though the scheme forbids them", () => {
    const tags = ["B-X", "I-X", "O", "B-Y", "I-Y"];
    const invalid = score("IOB2", tags, ["I-X I-X O", "O O"], ["I-X I-X O", "B-X I-Y"]);
    expect(invalid).toMatchObject({ score: 0.5, metrics: { entities: 1, recall: 1, invalidTransitions: 2 } });
    expect(score("IOB2", tags, ["I-X O"], ["B-X I-X"])).toMatchObject({ metrics: { invalidTransitions: 0 } });
    const bioes = score("BIOES", ["B-X", "E-X", "I-X", "O", "S-X"], ["I-X I-X"], ["B-X I-X"]);
    expect(bioes).toMatchObject({ score: 1, metrics: { tokenAccuracy: 0.5, invalidTransitions: 1 } });
  });

  test("of models of others are in the scheme of their labels, whatever that of the file", () => {
    const files = [["I-X I-X O I-X"], ["B-X I-X O B-X"], ["B-X E-X O S-X"]];
    const right = { score: 1, metrics: { entities: 2, tokenAccuracy: 1, invalidTransitions: 0 } };
    for (const gold of files) {
      expect(score("IOB2", ["B-X", "E-X", "I-X", "O", "S-X"], gold, ["B-X E-X O S-X"])).toMatchObject(right);
      expect(score("IOB2", ["I-X", "O"], gold, ["I-X I-X O I-X"])).toMatchObject(right);
      expect(score("IOB2", ["B-X", "I-X", "O"], gold, ["B-X I-X O B-X"])).toMatchObject(right);
      expect(score("IOB1", ["B-X", "I-X", "O"], gold, ["I-X I-X O I-X"])).toMatchObject(right);
    }
    expect(score("IOB2", ["B", "E", "I", "O", "S"], ["B I O B"], ["B E O S"])).toMatchObject(right);
    expect(score("IOB2", ["I", "O"], ["B I O B"], ["I I O I"])).toMatchObject(right);
    const asTheyAre = score("plain", ["B-X", "E-X", "O"], ["B-X O"], ["B-X O"]);
    expect(asTheyAre).toMatchObject({ metrics: { accuracy: 1, words: 2 } });
  });

  test("of plain tags are those of each label, and who is taken for whom", () => {
    expect(score("plain", ["DET", "N", "V"], ["DET N V", "N"], ["DET N N", "V"])).toEqual({
      score: 0.5,
      metrics: {
        examples: 2,
        words: 4,
        accuracy: 0.5,
        microF1: 0.5,
        macroF1: 0.5,
        weightedF1: 0.5,
        mcc: 0.2,
        perLabel: [
          { precision: 1, recall: 1, f1: 1, support: 1 },
          { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 },
          { precision: 0, recall: 0, f1: 0, support: 1 },
        ],
        confusion: [
          [1, 0, 0],
          [0, 1, 1],
          [0, 1, 0],
        ],
      },
    });
  });

  test("leave the matrix of more than 200 labels out", () => {
    const labels = Array.from({ length: 201 }, (_, i) => `T${i}`);
    expect(score("plain", labels, ["T0"], ["T1"]).metrics).not.toHaveProperty("confusion");
    expect(score("plain", labels.slice(1), ["T1"], ["T1"]).metrics).toHaveProperty("confusion");
  });
});

/** Sentences in which good is a place, bad a thing, and z.. begins a person of two words; other words are nothing. */
function sentences(count: number, seed: number): TaggedWord[][] {
  const random = Random.of(seed, "sentences");
  const letters = (n: number) => Array.from({ length: n }, () => "abcdefghijklmnopqrstuvw"[random.below(23)]).join("");
  const parts: (() => TaggedWord[])[] = [
    () => [["good", "B-LOC"]],
    () => [["bad", "B-THING"]],
    () => [
      [`z${letters(2)}`, "B-PER"],
      [`y${letters(1)}`, "I-PER"],
    ],
    ...Array.from({ length: 4 }, () => (): TaggedWord[] => [[letters(1 + random.below(3)), "O"]]),
  ];
  return Array.from({ length: count }, () =>
    Array.from({ length: 3 + random.below(5) }, () => parts[random.below(parts.length)]()).flat(),
  );
}

describe("a model that was fine-tuned", () => {
  let output: string;
  let find: TokenClassificationPipeline;
  beforeAll(async () => {
    output = join(folder, "model");
    const { metrics, labels } = await finetune("token-classification", {
      model: await writeTinyPretrainedModel(join(folder, "base"), { range: 0.1 }),
      train: writeConll("train.conll", sentences(300, 1)),
      dev: writeConll("dev.conll", sentences(50, 2)),
      output,
      epochs: 5,
      batchSize: 8,
      learningRate: 5e-3,
      maxLength: 32,
      stride: 8,
      threads: 1,
    });
    expect(labels).toEqual(["B-LOC", "B-PER", "B-THING", "I-LOC", "I-PER", "I-THING", "O"]);
    expect(metrics).toMatchObject({ examples: 50, f1: 1, tokenAccuracy: 1 });
    find = await pipeline("token-classification", output, { threads: 1 });
  });
  afterAll(() => find?.dispose());

  /** The entities of tagged words, as they stand in a text of them. */
  function expected(words: readonly TaggedWord[]) {
    const entities: { entity_group: string; word: string; start: number; end: number }[] = [];
    let start = 0;
    for (const [word, tag] of words) {
      const last = entities[entities.length - 1];
      if (tag.startsWith("B-")) entities.push({ entity_group: tag.slice(2), word, start, end: start + word.length });
      else if (tag !== "O") Object.assign(last, { word: `${last.word} ${word}`, end: start + word.length });
      start += word.length + 1;
    }
    return entities;
  }

  test.each([
    "simple",
    "first",
    "average",
    "max",
  ] as const)("finds entities in a text longer than a window, %s", async (aggregation_strategy) => {
    const words = sentences(40, 3).flat();
    const text = words.map(([word]) => word).join(" ");
    const entities = await find(text, { aggregation_strategy });
    expect(entities.length).toBeGreaterThan(50);
    const places = entities.map(({ entity_group, word, start, end }) => ({ entity_group, word, start, end }));
    if (aggregation_strategy === "simple" || aggregation_strategy === "first") {
      expect(places).toEqual(expected(words)); // later pieces are not trained, so the others may err
    }
    for (const { score, word, start, end } of entities) {
      expect(text.slice(start, end)).toBe(word);
      expect(score).toBeGreaterThan(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  test("says which of the given words they are, and where in a text of them", async () => {
    const words = ["a", "", "zab", "yc", "b", "good"];
    const options = { aggregation_strategy: "first" } as const;
    expect(await find({ words }, options)).toMatchObject([
      { entity_group: "PER", word: "zab yc", start: 3, end: 9, start_word: 2, end_word: 4 },
      { entity_group: "LOC", word: "good", start: 12, end: 16, start_word: 5, end_word: 6 },
    ]);
    expect(await find({ words })).toMatchObject(
      expect.arrayContaining([
        {
          entity: "B-PER",
          index: 2,
          word: "z",
          start: 3,
          end: 4,
          start_word: 2,
          end_word: 3,
          score: expect.anything(),
        },
      ]),
    );
    expect(await find({ words: [] }, options)).toEqual([]);
  });

  test("gives for a list what it gives for each alone", async () => {
    const texts = sentences(30, 4).map((words) => words.map(([word]) => word).join(" "));
    const inputs = texts.flatMap((text) => [text, { words: text.split(" ") }]);
    const alone = [];
    for (const input of inputs) alone.push(await find(input, { aggregation_strategy: "average" }));
    expect(await find(inputs, { aggregation_strategy: "average" })).toEqual(alone);
    expect(await find([])).toEqual([]);
    expect(find.labels).toEqual(["B-LOC", "B-PER", "B-THING", "I-LOC", "I-PER", "I-THING", "O"]);
  });

  test("tags words of a file, in lines that are read again", async () => {
    const test = sentences(20, 6);
    const path = writeConll("test.conll", test);
    const model = await TASKS["token-classification"].open(output, { threads: 1 });
    const inputs: (readonly string[])[] = [];
    for await (const { words } of readUntaggedSentences(path)) inputs.push(words);
    const { results } = await model.present(inputs);
    expect(results).toHaveLength(20);
    const tagged = results.map((result, i) => {
      const { tags } = z.object({ tags: z.array(z.string()), entities: z.array(z.unknown()) }).parse(result);
      return formatConll([inputs[i], tags]);
    });
    writeFileSync(join(folder, "predicted.conll"), tagged.join(""));
    const { examples } = await readTaggedSentences(join(folder, "predicted.conll"), { tokenColumn: 0, tagColumn: -1 });
    expect(examples.map(({ gold: { tags } }) => tags)).toEqual(test.map((words) => words.map(([, tag]) => tag)));
    expect((await model.present(["good"])).results).toEqual([
      { entities: await find("good", { aggregation_strategy: "simple" }) },
    ]);
    const none = { settings: { aggregationStrategy: "none" } } as const;
    expect((await model.present(["good"], none)).results).toEqual([{ entities: await find("good") }]);
    await model.dispose();
  });

  test("judges every token once, whatever the stride", async () => {
    const text = "good xyz ".repeat(50).trim();
    for (const stride of [undefined, 0, 1, 7, 29]) {
      const tokens = await find(text, { ignore_labels: [], stride });
      expect(tokens.map(({ word }) => word)).toEqual(Array(50).fill(["good", "x", "y", "z"]).flat());
      expect(tokens.map(({ index }) => index)).toEqual(tokens.map((_, i) => i + 1));
    }
  });

  test("refuses a stride that leaves no room, and options that are none", async () => {
    const text = "good ".repeat(50);
    await expectError(find(text, { stride: 30 }), "TRUNCATION_IMPOSSIBLE", "30");
    await expectError(find([text], { stride: 1000 }), "TRUNCATION_IMPOSSIBLE");
    await expectError(find("good", { stride: 30 }), "TRUNCATION_IMPOSSIBLE", "stride below 30");
    expect(await find("good", { stride: 29 })).toHaveLength(1);
    await expectError(find(text, { stride: -1 }), "OPTION_INVALID", "stride");
    await expectError(find(text, { stride: 1.5 }), "OPTION_INVALID", "stride");
    const strategy = JSON.parse(`"last"`);
    await expectError(find(text, { aggregation_strategy: strategy }), "OPTION_INVALID", "simple", "last");
  });

  test("reports its progress, and stops when it is told to", async () => {
    const seen: number[] = [];
    await find(Array(300).fill("good"), { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([256, 300]);
    await expect(find("good", { signal: AbortSignal.abort() })).rejects.toThrow(DOMException);
  });

  test("is measured as its training measured it, by command, and predicts", async () => {
    const dev = join(folder, "dev.conll");
    const evaluated = await cloze(["evaluate", output, "--data", dev, "--threads", "1", "--json"]);
    expect(evaluated.code).toBe(0);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ ...metricsOf(output), f1: 1 });

    const text = "ab good zab yc";
    const predict = async (args: readonly string[], input = "") => {
      const { code, stdout, stderr } = await cloze(["predict", output, "--threads", "1", ...args], { input });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const simple = { text, entities: await find(text, { aggregation_strategy: "simple" }) };
    expect(simple.entities.map(({ word }) => word)).toEqual(["good", "zab yc"]);
    expect(await predict([text])).toEqual([simple]);
    expect(await predict([], `${text}\n${text}\n`)).toEqual([simple, simple]);
    const piped = readFileSync(dev, "utf8");
    expect(await predict([], piped)).toEqual(await predict(["--input", dev]));
    expect(await predict(["--tag-column", "-1"], piped)).toEqual(await predict(["--input", dev, "--tag-column", "-1"]));
    writeFileSync(join(folder, "texts.jsonl"), `${JSON.stringify({ body: text })}\n`);
    const table = ["--input", join(folder, "texts.jsonl"), "--text-column", "body"];
    expect(await predict([...table, "--aggregation-strategy", "none"])).toEqual([{ text, entities: await find(text) }]);

    const none = await cloze(["predict", output, "good ".repeat(50), "--stride", "30"]);
    expect(none).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("[TRUNCATION_IMPOSSIBLE]") });
    const pairs = await cloze(["predict", output, "--input", "none.csv", "--pair-column", "b"]);
    expect(pairs).toMatchObject({ code: 2, stderr: expect.stringContaining("has no --pair-column") });
  });
});

function metricsOf(model: string): object {
  const { task, step, ...metrics } = JSON.parse(readFileSync(join(model, "metrics.json"), "utf8"));
  expect(task).toBe("token-classification");
  return metrics;
}

describe("files", () => {
  const few = { epochs: 1, threads: 1, maxLength: 32, stride: 8, overwrite: true } as const;
  const base = () => writeTinyPretrainedModel(join(folder, "files-base"));
  const output = () => join(folder, "files-model");

  test("with I- alone are turned into B- and I-, or what was asked for; others stay", async () => {
    const train = writeConll("io.conll", [
      [
        ["a", "I-X"],
        ["b", "I-X"],
        ["c", "O"],
        ["d", "I-Y"],
      ],
    ]);
    const labels = async (scheme?: "IO" | "BIOES") =>
      (await finetune("token-classification", { ...few, model: await base(), train, output: output(), scheme })).labels;
    expect(await labels()).toEqual(["B-X", "B-Y", "I-X", "I-Y", "O"]); // every tag of a type, be it there or not
    expect(await labels("IO")).toEqual(["I-X", "I-Y", "O"]);
    expect(await labels("BIOES")).toEqual(["B-X", "B-Y", "E-X", "E-Y", "I-X", "I-Y", "O", "S-X", "S-Y"]);
  });

  test("of parts of speech stay as they are, and are measured by words", async () => {
    const train = writeConll("pos.conll", [
      [
        ["a", "DET"],
        ["b", "NOUN"],
        ["c", "S"],
      ],
    ]);
    const options = { ...few, model: await base(), train, dev: train, output: output() };
    const { labels, metrics } = await finetune("token-classification", options);
    expect(labels).toEqual(["DET", "NOUN", "S"]);
    expect(metrics).toMatchObject({ examples: 1, words: 3, accuracy: expect.any(Number) });
    expect(metrics?.perLabel).toHaveLength(3);
  });

  test("of tags that are prefixes alone are measured by entities", async () => {
    const train = writeConll("bare.conll", [
      [
        ["a", "B"],
        ["b", "I"],
        ["c", "O"],
      ],
    ]);
    const options = { ...few, model: await base(), train, dev: train, output: output() };
    const { metrics } = await finetune("token-classification", options);
    expect(metrics).toMatchObject({ entities: 1, f1: expect.any(Number) });
  });

  test("with a tag that the model does not know are refused, before training and at evaluation", async () => {
    const train = writeConll("known.conll", [
      [
        ["a", "B-X"],
        ["b", "O"],
      ],
    ]);
    const dev = writeConll("unknown.conll", [
      [["b", "O"]],
      [
        ["a", "B-Y"],
        ["b", "O"],
      ],
    ]);
    const options = { ...few, model: await base(), train, output: output() };
    await expectError(
      finetune("token-classification", { ...options, dev }),
      "LABEL_UNKNOWN",
      "unknown.conll, line 3",
      "B-Y",
    );
    await finetune("token-classification", options);
    const evaluated = TASKS["token-classification"].evaluate(output(), dev, { threads: 1 });
    await expectError(evaluated, "LABEL_UNKNOWN", "unknown.conll, line 3", "B-Y");
  });

  test("with a malformed tag, or with one tag alone, are refused before training", async () => {
    const of = async (train: string) =>
      finetune("token-classification", { ...few, model: await base(), train, output: output() });
    const malformed = writeConll("malformed.conll", [
      [["a", "B-X"]],
      [
        ["b", "O"],
        ["c", "U-X"],
      ],
    ]);
    await expectError(of(malformed), "ROW_MALFORMED", "malformed.conll, line 4", "U-X");
    const odd = writeConll("odd.conll", [
      [
        ["a", "PRON"],
        ["b", "VERB"],
        ["c", "B-PER"],
      ],
    ]);
    await expectError(of(odd), "ROW_MALFORMED", "odd.conll, line 3", '"B-PER"', "--scheme plain");
    await expectError(of(writeConll("one.conll", [[["a", "O"]]])), "LABELS_TOO_FEW", "one.conll", "--tag-column");
    await expectError(of(writeConll("one.conll", [[["a", "N"]]])), "LABELS_TOO_FEW", "--tag-column");
  });

  test("with a prefix alone beside types are refused, and taken as they are where tags are plain", async () => {
    const train = writeConll("untyped.conll", [
      [
        ["a", "B-PER"],
        ["b", "O"],
      ],
      [["c", "B-"]],
    ]);
    const options = { ...few, model: await base(), train };
    const refused = finetune("token-classification", { ...options, output: output() });
    await expectError(refused, "ROW_MALFORMED", "untyped.conll, line 4", '"B-"');
    const { labels } = tokenClassification;
    const data = await readTaggedSentences(train, { tokenColumn: 0, tagColumn: -1 });
    expect(labels(data, { ...plain, scheme: "plain" })).toContain("B-");
  });

  test("tell of words without a token, and of rows of CoNLL-U that are no words", async () => {
    const path = join(folder, "odd.conllu");
    writeFileSync(path, "1-2\tzum\t_\n1\tzu\tADP\n2\t\u200b\tDET\n2.1\tx\tV\n3\t\u00a0\tDET\n");
    const told = await readTaggedSentences(path, { tokenColumn: 1, tagColumn: 2 });
    const [rows, words] = ["of multiword tokens or empty nodes", "of the words invisible, without a token"];
    const expected = {
      skipped: { [rows]: 2 },
      notes: { [words]: 2 },
      places: { [rows]: [`${path}, line 1`], [words]: [`${path}, line 3`] },
    };
    expect(told).toMatchObject(expected);
    const counts = new InputCounts();
    await Readable.from(readUntaggedSentences(path, { tokenColumn: 1 }, counts)).toArray();
    expect(counts).toMatchObject(expected);
  });

  test("are read by the separator that is told", async () => {
    const path = join(folder, "commas.txt");
    writeFileSync(path, "1,a,B-X\n2,b,O\n");
    const { examples } = await readTaggedSentences(path, { separator: ",", tokenColumn: 1, tagColumn: 2 });
    expect(examples).toMatchObject([{ input: ["a", "b"], gold: { tags: ["B-X", "O"] }, place: `${path}, line 1` }]);
    expect(examples[0].gold.placeOf(1)).toBe(`${path}, line 2`);
    const empty = { ...few, model: await base(), train: path, output: output(), separator: "" };
    await expectError(finetune("token-classification", empty), "OPTION_INVALID", "separator");
  });

  test.each([
    ["I-X after O in IOB2", "O I-X O B-X,I-Y", { "out of IOB2's order, read by conlleval's rules": 2 }],
    ["no end in BIOES", "S-X B-X,B-X E-X", { "out of BIOES's order, read by conlleval's rules": 1 }],
    ["nothing in IOB2", "O B-X I-X B-X", {}],
    ["nothing where only I- is", "O I-X,I-Y", {}],
    ["nothing in IOE", "I-X E-X O,E-X", {}],
    ["nothing in parts of speech", "N V,DET N", {}],
    ["nothing where a tag is malformed", "B-X U-X,I-X", {}],
  ])("with invalid transitions are read and tell of them: %s", async (_, text, notes) => {
    const sentences = text.split(",").map((tags) => tags.split(" ").map((tag): TaggedWord => ["a", tag]));
    const path = writeConll("transitions.conll", sentences);
    expect((await readTaggedSentences(path, { tokenColumn: 0, tagColumn: -1 })).notes).toEqual(notes);
  });

  test("without tags, or with tags that are not asked for, are read to predict for", async () => {
    const read = (path: string, options = {}) => Readable.from(readUntaggedSentences(path, options)).toArray();
    const words = writeConll("words.conll", [[["a"], ["b"]], [["c"]]]);
    const expected = [{ words: ["a", "b"] }, { words: ["c"] }];
    expect(await read(words)).toEqual(expected);
    const tagged = writeConll("words.conll", [
      [
        ["a", "X-1"],
        ["b", "O"],
      ],
      [["c", "O"]],
    ]);
    expect(await read(tagged)).toEqual(expected);
    expect(await read(tagged, { tagColumn: 1 })).toMatchObject([
      { ...expected[0], tags: ["X-1", "O"] },
      { tags: ["O"] },
    ]);
    expect(await read(tagged, { separator: "X-", tagColumn: undefined }).catch(({ code }) => code)).toBe(
      "ROW_MALFORMED",
    );
  });

  test("are known by their names", () => {
    for (const name of [
      "a.conll",
      "b/a.CONLL.gz",
      "a.conll2003",
      "a.bio",
      "a.iob",
      "a.iob2",
      "a.bioes",
      "a.conll.txt",
    ]) {
      expect(isConllName(name), name).toBe(true);
    }
    for (const name of ["a.txt", "conll", "a.conll.json", "bio.csv", "a.biography"]) {
      expect(isConllName(name), name).toBe(false);
    }
  });

  test("by command: finetune writes a model", async () => {
    const train = writeConll("command.conll", sentences(8, 5));
    const args = ["--model", await base(), "--train", train, "--dev", train, "--output", join(folder, "by-command")];
    const small = "--epochs 1 --max-length 16 --stride 4 --threads 1 --json".split(" ");
    const { code, stdout } = await cloze(["finetune", "token-classification", ...args, ...small]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ labels: expect.arrayContaining(["O"]), metrics: { examples: 8 } });
  });
});

describe("places in texts of any characters", () => {
  const ALPHABET = [
    ..."aabbccxyzABCZ019éÉßİıﬁÅñ",
    ..."\u0301\u0308\u0323\u093e\u0903\u3099\ufe0f\u200d\u200f\u00ad\u0000\ufffd",
    ..."      \t\n\r\u00a0\u3000.,;-'\"()[]«»¿—",
    ..."日本語漢字かなカナ한국각שלוםمرحبнетคำहिन्दी",
    ..."😀👩👍🏽🇩🇪❤𝔘𠀀",
    "\r\n",
    "\ud83d",
    "\ude00",
    "[SEP]",
    "[MASK]",
  ];
  /** Letters and digits with what belongs to them, written down apart from the tokenizer; ideographs stand alone. */
  const WORDS = /(?!\p{Script=Han})[\p{L}\p{N}](?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}])*/gu;
  const own = [..."éßñåıкетдаשלוםمرحب日語漢かなカ한ก\u093e\u0903😀❤", "##é", "##ß", "##😀", "##م", "##か"];
  const vocabulary = [...VOCABULARY, ...new Set(own)];
  const tokenizers = [
    BertTokenizer.fromVocabulary(vocabulary),
    BertTokenizer.fromVocabulary(vocabulary, { lowercase: false }),
  ];
  const labels = ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y"];
  const strategies = ["simple", "first", "average", "max"] as const;

  test("an entity is what stands there, and begins and ends with words: 10,000 texts", () => {
    const random = Random.of(1, "places");
    let entities = 0;
    let windows = 0;
    for (let i = 0; i < 10_000; i++) {
      const text = Array.from({ length: random.below(40) }, () => ALPHABET[random.below(ALPHABET.length)]).join("");
      const input = i % 3 === 0 ? text.split(" ") : text;
      const tokenizer = tokenizers[i % 2];
      const context = {
        tokenizer,
        labels,
        maxLength: 6 + random.below(12),
        settings: { ...plain, stride: random.below(4) },
      };
      const encodings = tokenClassification.encode(input, context);
      const logits = encodings.map(({ length }) =>
        Float32Array.from({ length: length * labels.length }, () => 3 * random.normal()),
      );
      const tokens = tokenClassification.decode(input, encodings, logits, context);
      const whole = tokenizer.encode(input, { addSpecialTokens: false });
      expect(tokens.map(({ token }) => token)).toEqual(whole.tokens); // windows judge each token once
      windows += encodings.length;

      const judged = judgedText(input, tokens);
      expect(judged.text).toBe(text);
      const wordOf = new Map(judged.tokens.map(({ start, word }) => [start, word]));
      const inside = new Set<number>();
      for (const { 0: word, index } of text.matchAll(WORDS)) {
        for (let at = 1; at < word.length; at++) inside.add(index + at);
      }
      for (const { word, start, end } of labelTokens(judged, labels)) expect(text.slice(start, end)).toBe(word);
      const groups = groupEntities(judged, labels, strategies[i % strategies.length]);
      let last = 0;
      for (const { word, start, end } of groups) {
        entities++;
        const place = JSON.stringify({ text, word, start, end });
        if (text.slice(start, end) !== word || start < last || end <= start) expect.unreachable(place);
        if (inside.has(start) || inside.has(end)) expect.unreachable(`inside a word: ${place}`);
        const outer = judged.tokens.filter((token) => token.end <= start || token.start >= end);
        const inner = judged.tokens.filter((token) => !outer.includes(token));
        const split = outer.some((token) => inner.some((other) => other.word === token.word));
        if (split || !wordOf.has(start)) expect.unreachable(`splits a word: ${place}`);
        last = end;
      }
    }
    expect(entities).toBeGreaterThan(20_000);
    expect(windows).toBeGreaterThan(15_000);
  });
});
