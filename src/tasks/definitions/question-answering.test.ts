import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VOCABULARY } from "../../../test/tiny-model.ts";
import { Random } from "../../base/random.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { type FoundAnswers, type GoldAnswers, isNone, type Question, questionAnswering } from "./question-answering.ts";
import type { Example } from "./task.ts";

const tokenizer = BertTokenizer.fromVocabulary([
  ...VOCABULARY,
  "日",
  "本",
  "é",
  "😀",
  "\u1112",
  "##\u1161",
  "##\u11ab",
  ".",
]);
const { encode, features, decode, score, settle, conclude } = questionAnswering;

/** A context of the task for sequences of so many tokens. */
function contextFor(maxLength: number, settings: Parameters<typeof questionAnswering.settings.parse>[0] = {}) {
  return { tokenizer, labels: [], maxLength, settings: questionAnswering.settings.parse(settings) };
}

/** The tokens of a context as such, without windows over them. */
function tokensOf(context: string): readonly (readonly [start: number, end: number])[] {
  const { length, offsets } = tokenizer.encode(context, { addSpecialTokens: false });
  return Array.from({ length }, (_, i) => [offsets[2 * i], offsets[2 * i + 1]]);
}

function targets(question: Question, answer: { start: number; end: number } | undefined, context: Context) {
  const encodings = encode(question, context);
  const answers = answer === undefined ? [] : [{ ...answer, text: question.context.slice(answer.start, answer.end) }];
  const example: Example<Question, GoldAnswers> = { input: question, gold: { id: "q", answers }, place: "here" };
  return features(example, encodings, context).map(({ target: [first, last] }, i) => {
    const { offsets } = encodings[i];
    return first === 0 && last === 0 ? undefined : question.context.slice(offsets[2 * first], offsets[2 * last + 1]);
  });
}

type Context = ReturnType<typeof contextFor>;

function randomLogits(encodings: readonly Encoding[], seed: number): Float32Array[] {
  const random = Random.of(seed, "logits");
  return encodings.map(({ length }) => Float32Array.from({ length: 2 * length }, () => 3 * random.normal()));
}

const letters = (count: number) => Array.from({ length: count }, (_, i) => VOCABULARY[7 + ((7 * i) % 26)]).join(" ");

describe("sequences", () => {
  test("have the question first, in windows that cover the context", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(5), fc.integer({ min: 8, max: 20 }), (length, stride, room) => {
        const context = contextFor(room + 5, { stride });
        const encodings = encode({ question: "good bad", context: letters(length) }, context);
        const seen = new Set<number>();
        for (const { tokens, sequenceIds, offsets, length } of encodings) {
          expect(tokens.slice(0, 4)).toEqual(["[CLS]", "good", "bad", "[SEP]"]);
          expect(tokens[length - 1]).toBe("[SEP]");
          expect(length).toBeLessThanOrEqual(room + 5);
          for (let i = 0; i < length; i++) if (sequenceIds[i] === 1) seen.add(offsets[2 * i]);
        }
        expect(seen.size).toBe(length);
      }),
      { numRuns: 300 },
    );
  });

  test("have a question that is too long cut, between tokens", () => {
    const question = "a b 😀 c d 😀 e f";
    for (let longest = 1; longest <= 8; longest++) {
      const context = contextFor(32, { maxQuestionLength: longest });
      const [{ tokens }] = encode({ question, context: "good" }, context);
      expect(tokens.join(" ")).toBe(`[CLS] ${question.split(" ").slice(0, longest).join(" ")} [SEP] good [SEP]`);
    }
  });

  test("are cut within a word as the whole word would be", () => {
    const [{ tokens }] = encode({ question: "abcd", context: "a" }, contextFor(32, { maxQuestionLength: 2 }));
    expect(tokens.join(" ")).toBe("[CLS] a ##b [SEP] a [SEP]");
  });

  test("of a context without text are the question alone", () => {
    for (const empty of ["", " \r\n", "\u0000"]) {
      const encodings = encode({ question: "a", context: empty }, contextFor(16));
      expect(encodings.map(({ tokens }) => tokens.join(" "))).toEqual(["[CLS] a [SEP] [SEP]"]);
      expect(targets({ question: "a", context: empty }, { start: 0, end: 1 }, contextFor(16))).toEqual([undefined]);
    }
  });

  test("need room for the context beside the question, and to advance", () => {
    const asked = (count: number) => ({ question: letters(count), context: letters(30) });
    expect(() => encode(asked(12), contextFor(16, { stride: 0 }))).not.toThrow();
    expect(() => encode(asked(13), contextFor(16, { stride: 0 }))).toThrow(
      expect.objectContaining({
        code: "TRUNCATION_IMPOSSIBLE",
        message: expect.stringContaining("expected a question of at most 12 tokens; got 13"),
      }),
    );
    expect(() => encode(asked(13), contextFor(16, { stride: 0, maxQuestionLength: 12 }))).not.toThrow();
    expect(() => encode(asked(4), contextFor(16, { stride: 9 }))).toThrow(
      expect.objectContaining({
        code: "TRUNCATION_IMPOSSIBLE",
        message: expect.stringContaining("stride below the 9"),
      }),
    );
  });
});

describe("what is learned", () => {
  test("is the answer in each window that has all of it, and else that it is not there", () => {
    const numbers = { length: fc.integer({ min: 1, max: 40 }), first: fc.nat(39), size: fc.nat(4), stride: fc.nat(5) };
    fc.assert(
      fc.property(fc.record(numbers), ({ length, first, size, stride }) => {
        const question = { question: "good", context: letters(length) };
        const from = Math.min(first, length - 1);
        const to = Math.min(from + size, length - 1);
        const answer = { start: 2 * from, end: 2 * to + 1 }; // a letter and a blank each
        const context = contextFor(12, { stride });
        const text = question.context.slice(answer.start, answer.end);
        const has = encode(question, context).map(({ offsets, sequenceIds }) => {
          const own = offsets.filter((_, i) => sequenceIds[i >> 1] === 1);
          return own[0] <= answer.start && own[own.length - 1] >= answer.end;
        });
        expect(targets(question, answer, context)).toEqual(has.map((whole) => (whole ? text : undefined)));
        expect(has.includes(true) || to - from > stride).toBe(true); // what windows have in common, none of them cuts
      }),
      { numRuns: 500, examples: [[{ length: 40, first: 0, size: 0, stride: 5 }]] },
    );
  });

  test("includes blanks around an answer, and the rest of its words", () => {
    const context = contextFor(32);
    const targetOf = (text: string, start: number, end: number) =>
      targets({ question: "a", context: text }, { start, end }, context);
    expect(targetOf("  good bad  ", 0, 7)).toEqual(["good"]);
    expect(targetOf("good bad  ", 4, 10)).toEqual(["bad"]);
    expect(targetOf("xgoody bad", 2, 4)).toEqual(["oo"]); // pieces are letters
    expect(targetOf("日本😀 bad", 1, 4)).toEqual(["本😀"]);
    expect(targetOf("good \u0000 bad", 5, 6)).toEqual([undefined]); // no token at all
  });

  test("is for a question without answer that it is not there", () => {
    expect(targets({ question: "a", context: letters(40) }, undefined, contextFor(16, { stride: 4 }))).toEqual(
      new Array(5).fill(undefined),
    );
  });

  test("weighs all windows of a batch alike", () => {
    const context = contextFor(16, { stride: 4 });
    const question = { question: "a", context: letters(40) };
    const batch = features(
      { input: question, gold: { id: "q", answers: [] }, place: "" },
      encode(question, context),
      context,
    );
    const { weights, answers } = questionAnswering.targets(batch.slice(0, 2), batch);
    expect(Array.from(weights.data)).toEqual([0.1, 0.1].map(Math.fround)); // of 5, half for each end
    expect(answers).toMatchObject({ shape: [2, 2] });
  });
});

/** The best spans by trying all, from the definition: an answer begins where most is seen around its first token. */
function bruteForce(question: Question, encodings: readonly Encoding[], logits: Float32Array[], context: Context) {
  const { maxAnswerLength, unanswerable } = context.settings;
  const places = tokensOf(question.context);
  const windows = encodings.map(({ sequenceIds, offsets }) => {
    const from = sequenceIds.indexOf(1);
    const first = places.findIndex(([start]) => start === offsets[2 * from]);
    return { from, first, length: sequenceIds.filter((id) => id === 1).length };
  });
  const spans = places.flatMap(([start], token) => {
    const seen = windows.map(({ first, length }) => Math.min(token - first, first + length - 1 - token));
    const window = seen.indexOf(Math.max(...seen));
    const { from, first, length } = windows[window];
    const ends = places.slice(token, Math.min(token + maxAnswerLength, first + length));
    return ends.map(([, end], i) => {
      const at = from + token - first;
      return { start, end, logit: Math.fround(logits[window][2 * at] + logits[window][2 * (at + i) + 1]) };
    });
  });
  const best = spans.sort((a, b) => b.logit - a.logit).slice(0, 20);
  const none = Math.min(...logits.map(([start, end]) => start + end));
  const exponentials = [...best.map(({ logit }) => logit), ...(unanswerable ? [none] : [])].map(Math.exp);
  const total = exponentials.reduce((a, b) => a + b);
  return {
    spans: best.map(({ start, end }, i) => ({
      answer: question.context.slice(start, end),
      start,
      end,
      score: expect.closeTo(exponentials[i] / total, 5),
    })),
    noAnswer: unanswerable ? expect.closeTo(Math.exp(none) / total, 5) : 0,
    margin: none - best[0].logit,
  };
}

describe("answers", () => {
  test("are the likeliest of all spans of all windows, with probabilities that sum to 1", () => {
    fc.assert(
      fc.property(
        fc.record({
          length: fc.integer({ min: 1, max: 40 }),
          stride: fc.nat(5),
          maxAnswerLength: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(2 ** 40)),
          unanswerable: fc.boolean(),
          seed: fc.nat(),
        }),
        ({ length, seed, ...settings }) => {
          const question = { question: "good", context: letters(length) };
          const context = contextFor(12, settings);
          const encodings = encode(question, context);
          const logits = randomLogits(encodings, seed);
          const found = decode(question, encodings, logits, context);
          expect(found).toEqual(bruteForce(question, encodings, logits, context));
          const total = found.spans.reduce((sum, span) => sum + span.score, found.noAnswer);
          expect(total).toBeCloseTo(1, 5);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are the context's own text, whatever that is", () => {
    const characters = ["a", "g", "good", " ", "  ", "\r\n", "\n", "\t", ".", "é", "e\u0301", "\u0301", "ﬁ", "İ", "ß"];
    const others = [
      "😀",
      "👩‍👩‍👧",
      "🇩🇪",
      "日",
      "本",
      "한",
      "שלום",
      "مرحبا",
      "\u202e",
      "\u200b",
      "\u0000",
      "\ufeff",
      "ก็",
    ];
    const broken = ["\ud83d", "\ude00", "[SEP]", "[CLS]", "\u{10ffff}"];
    const text = fc.array(fc.constantFrom(...characters, ...others, ...broken), { maxLength: 40 });
    const context = contextFor(14, { stride: 3, maxAnswerLength: 9, unanswerable: true });
    let spans = 0;
    fc.assert(
      fc.property(fc.tuple(text, fc.nat()), ([pieces, seed]) => {
        const question = { question: "a?", context: pieces.join("") };
        const encodings = encode(question, context);
        const found = decode(question, encodings, randomLogits(encodings, seed), context);
        const places = found.spans.map(({ start, end }) => `${start} ${end}`);
        const isRight = found.spans.every(({ start, end, answer }) => {
          const splits = [start, end].some((place) =>
            /^[\ud800-\udbff][\udc00-\udfff]$/.test(question.context.slice(place - 1, place + 1)),
          );
          return start < end && answer === question.context.slice(start, end) && !splits;
        });
        if (!isRight || new Set(places).size < places.length) throw new Error(JSON.stringify(found.spans));
        spans += places.length;
      }),
      { numRuns: 10_000 },
    );
    expect(spans).toBeGreaterThan(30_000);
  });

  test("of a context without text are none", () => {
    for (const unanswerable of [false, true]) {
      const context = contextFor(16, { unanswerable });
      const encodings = encode({ question: "a", context: "" }, context);
      const found = decode({ question: "a", context: "" }, encodings, randomLogits(encodings, 1), context);
      expect(found).toEqual({ spans: [], noAnswer: Number(unanswerable), margin: Number.MAX_VALUE });
      expect(isNone(found)).toBe(true);
    }
  });
});

describe("no answer", () => {
  const example = (id: string, ...answers: string[]): Example<Question, GoldAnswers> => ({
    input: { question: "a", context: "b" },
    gold: { id, answers: answers.map((text) => ({ text, start: 0, end: text.length })) },
    place: id,
  });
  const found = (answer: string, margin: number): FoundAnswers => ({
    spans: [{ answer, start: 0, end: answer.length, score: 0.5 }],
    noAnswer: 0.5,
    margin,
  });
  const examples = [example("1", "good"), example("2", "bad"), example("3"), example("4")];
  const answers = [found("good", -3), found("bad", 2), found("x", 3), found("y", 4)];

  test("is possible where training data has it, or where it is said to be", () => {
    const data = (given: typeof examples) => ({ file: "f", examples: given, skipped: {} });
    const { settings } = contextFor(16);
    expect(settle(data(examples), settings).unanswerable).toBe(true);
    expect(settle(data(examples.slice(0, 2)), settings).unanswerable).toBe(false);
    expect(settle(data(examples.slice(0, 2)), { ...settings, unanswerable: true }).unanswerable).toBe(true);
  });

  test("is given above the threshold, which is found and kept unless it was chosen", () => {
    const scored = (settings: object) => score(examples, answers, contextFor(16, { unanswerable: true, ...settings }));
    const { score: best, metrics } = scored({});
    expect(best).toBe(1);
    expect(metrics).toMatchObject({ f1: 1, best: { f1: 1, f1Threshold: 2 } }); // at the threshold that it will have
    const concluded = conclude(contextFor(16, { unanswerable: true }).settings, metrics);
    expect(concluded.nullThreshold).toBe(2);
    expect(scored(concluded)).toMatchObject({ score: 1, metrics: { f1: 1 } });
    const chosen = contextFor(16, { unanswerable: true, nullThreshold: -2 }).settings;
    expect(scored(chosen)).toMatchObject({ score: 0.75, metrics: { f1: 0.75, noAnswer: { f1: 1 } } });
    expect(conclude(chosen, metrics)).toEqual(chosen);
  });

  test("is out of the question for a model without it", () => {
    const context = contextFor(16);
    const { metrics, score: f1 } = score(examples, answers, context);
    expect(metrics).not.toHaveProperty("best");
    expect(f1).toBe(0.5);
    expect(conclude(context.settings, metrics)).toEqual(context.settings);
  });
});
