/** Token classification from file to entity: what is learnt, what is found and where, in the library and by command. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { groupEntities, labelTokens } from "../src/tasks/definitions/entity-aggregation.ts";
import { tokenClassification } from "../src/tasks/definitions/token-classification.ts";
import { pipeline } from "../src/tasks/pipelines/pipeline.node.ts";
import { judgedText, type TokenClassificationPipeline } from "../src/tasks/pipelines/token-pipeline.ts";
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

function writeConll(name: string, sentences: readonly (readonly TaggedWord[])[]): string {
  const path = join(folder, name);
  writeFileSync(path, sentences.map((words) => `${words.map((word) => word.join(" ")).join("\n")}\n`).join("\n"));
  return path;
}

const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);

describe("what there is to learn", () => {
  const words = ["good", "xyz", "bad", "yz", "z"];
  const gold = ["A", "B", "C", "B", "A"];
  const example = { input: words, gold, place: "file, line 1" };

  function targets(maxLength: number, stride: number): number[][] {
    const context = { tokenizer, labels: ["A", "B", "C"], maxLength, settings: { stride, scheme: "plain" } as const };
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

  test("weighs words alike, however many tokens they have", () => {
    const context = {
      tokenizer,
      labels: ["A", "B", "C"],
      maxLength: 6,
      settings: { stride: 2, scheme: "plain" } as const,
    };
    const features = tokenClassification.features(example, tokenClassification.encode(words, context), context);
    const { labels, weights } = tokenClassification.targets(features, features);
    expect(Array.from(weights.data, Number).filter((weight) => weight > 0)).toEqual(Array(5).fill(Math.fround(1 / 5)));
    expect(Math.min(...Array.from(labels.data, Number))).toBe(0);
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
    expect(await find("good", { stride: 1000 })).toHaveLength(1);
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
    expect(metrics).toEqual({ examples: 1, words: 3, accuracy: expect.any(Number) });
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
    await expectError(finetune("token-classification", { ...options, dev }), "LABEL_UNKNOWN", "line 3", "B-Y");
    await finetune("token-classification", options);
    const evaluated = TASKS["token-classification"].evaluate(output(), dev, { threads: 1 });
    await expectError(evaluated, "LABEL_UNKNOWN", "unknown.conll, line 3", "B-Y");
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
        settings: { stride: random.below(4), scheme: "plain" } as const,
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
