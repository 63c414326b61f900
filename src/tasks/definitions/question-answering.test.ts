import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { VOCABULARY } from "../../../test/tiny-model.ts";
import { Random } from "../../base/random.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import {
  answersOf,
  type FoundAnswers,
  type GoldAnswers,
  isNone,
  type Question,
  questionAnswering,
} from "./question-answering.ts";
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
  "##\u302e", // two marks that are no accents, and that normalisation puts in order
  "##\u{1d165}",
  ".",
]);
const cased = BertTokenizer.fromVocabulary(
  [...VOCABULARY, "日", "é", "😀", "\u0301", "##\u0301", "##\u0323", "##\ufe0f", "##\u05b8", "ש", "."],
  { lowercase: false },
);
const { encode, cuts, features, decode, present, score, settle, conclude } = questionAnswering;

/** A context of the task for sequences of so many tokens. */
function contextFor(maxLength: number, settings: Parameters<typeof questionAnswering.settings.parse>[0] = {}) {
  return { tokenizer, labels: [], maxLength, settings: questionAnswering.settings.parse(settings) };
}

/** The tokens of a context as such, without windows over them. */
function tokensOf(context: string, { tokenizer }: Pick<Context, "tokenizer">) {
  const { length, ids, offsets } = tokenizer.encode(context, { addSpecialTokens: false });
  return Array.from({ length }, (_, i) => ({ id: ids[i], start: offsets[2 * i], end: offsets[2 * i + 1] }));
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The texts that the windows of a question point at, undefined for their [CLS]; its answers have these places, or none. */
function targets(question: Question, places: readonly (Place | undefined)[], context: Context) {
  const encodings = encode(question, context);
  const answers = places.map((span) => ({ text: question.context.slice(span?.start, span?.end), span }));
  const gold = { id: "q", answers, isImpossible: answers.length === 0 };
  return features({ input: question, gold, place: "here" }, encodings, context).map(({ target: [first, last] }, i) => {
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

  test("have all of a character or nothing, where it is several tokens", () => {
    for (const [longest, asked] of [
      [4, "한 a"],
      [3, "한"],
      [2, ""],
      [1, ""],
    ] as const) {
      const [{ tokens, offsets, sequenceIds }] = encode(
        { question: "한 a b", context: "good" },
        contextFor(32, { maxQuestionLength: longest }),
      );
      const last = sequenceIds.lastIndexOf(0);
      expect("한 a b".slice(0, last < 0 ? 0 : offsets[2 * last + 1])).toBe(asked);
      expect(tokens.slice(-2)).toEqual(["good", "[SEP]"]);
    }
  });

  test("tell of a question that was cut, and of no other", () => {
    for (const context of ["good", letters(100)]) {
      const isCut = (question: string, maxQuestionLength: number) => {
        const task = contextFor(16, { maxQuestionLength });
        return cuts({ question, context }, encode({ question, context }, task), task);
      };
      const lengths = [1, 3, 4, 5];
      expect(lengths.map((longest) => isCut("a b 😀 c", longest))).toEqual([true, true, false, false]);
      expect(lengths.map((longest) => isCut("abcd \u200b\n", longest))).toEqual([true, true, false, false]);
      expect([1, 2, 3].map((longest) => isCut("한", longest))).toEqual([true, true, false]);
      expect(isCut("", 1)).toBe(false);
    }
  });

  test("take the tokens of the question once", () => {
    const texts: string[] = [];
    const append = vi.spyOn(tokenizer, "append").mockImplementation((text, out) => {
      texts.push(text);
      BertTokenizer.prototype.append.call(tokenizer, text, out);
    });
    for (const maxQuestionLength of [2, 64]) {
      const question = { question: "a b c", context: letters(100) };
      const task = contextFor(16, { maxQuestionLength });
      cuts(question, encode(question, task), task);
    }
    append.mockRestore();
    expect(texts.filter((text) => text === "a b c")).toHaveLength(2);
  });

  test("share half of the context's tokens that a window holds, 128 at most, unless told", () => {
    const shared = (maxLength: number, asked: number, stride?: number) => {
      const context = contextFor(maxLength, { stride, maxQuestionLength: 200 });
      const [first, second] = encode({ question: letters(asked), context: letters(3000) }, context);
      const own = ({ offsets, sequenceIds }: Encoding) =>
        Array.from(sequenceIds.keys()).flatMap((i) => (sequenceIds[i] === 1 ? offsets[2 * i] : []));
      return own(first).filter((start) => own(second).includes(start)).length;
    };
    expect(shared(384, 10)).toBe(128);
    expect(shared(384, 64)).toBe(128);
    expect(shared(128, 10)).toBe(57); // of 115
    expect(shared(128, 64)).toBe(30);
    expect(shared(16, 12)).toBe(0); // of 1
    expect(shared(128, 10, 100)).toBe(100);
    expect(shared(512, 10, 0)).toBe(0);
  });

  test("of a context without text are the question alone", () => {
    for (const empty of ["", " \r\n", "\u0000"]) {
      const encodings = encode({ question: "a", context: empty }, contextFor(16));
      expect(encodings.map(({ tokens }) => tokens.join(" "))).toEqual(["[CLS] a [SEP] [SEP]"]);
      expect(targets({ question: "a", context: empty }, [], contextFor(16))).toEqual([undefined]);
      expect(targets({ question: "a", context: empty }, [{ start: 0, end: 1 }], contextFor(16))).toEqual([]);
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
    const long = { question: `a${"😀 ".repeat(40)}`, context: letters(30) };
    expect(() => encode(long, contextFor(16, { stride: 0 }))).toThrow(`got 40: "a${"😀 ".repeat(19)}😀…"`);
    expect(() => encode(asked(13), contextFor(16, { stride: 0, maxQuestionLength: 12 }))).not.toThrow();
    expect(() => encode(asked(4), contextFor(16, { stride: 9 }))).toThrow(
      expect.objectContaining({
        code: "TRUNCATION_IMPOSSIBLE",
        message: expect.stringContaining("stride below 9"),
      }),
    );
    expect(() => encode(asked(12), contextFor(16))).not.toThrow();
    expect(() => encode({ question: "a", context: "good" }, contextFor(16, { stride: 11 }))).not.toThrow();
    expect(() => encode({ question: "a", context: "good" }, contextFor(16, { stride: 12 }))).toThrow(
      expect.objectContaining({
        code: "TRUNCATION_IMPOSSIBLE",
        message: expect.stringMatching(/stride below 12.*got 12.*Leave out the stride/s),
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
        const expected = has.includes(true) ? has.map((whole) => (whole ? text : undefined)) : [];
        expect(targets(question, [answer], context)).toEqual(expected);
        expect(has.includes(true) || to - from > stride).toBe(true); // what windows have in common, none of them cuts
      }),
      { numRuns: 500, examples: [[{ length: 40, first: 0, size: 0, stride: 5 }]] },
    );
  });

  test("includes blanks around an answer, and the rest of its words", () => {
    const context = contextFor(32);
    const targetOf = (text: string, start: number, end: number) =>
      targets({ question: "a", context: text }, [{ start, end }], context);
    expect(targetOf("  good bad  ", 0, 7)).toEqual(["good"]);
    expect(targetOf("good bad  ", 4, 10)).toEqual(["bad"]);
    expect(targetOf("xgoody bad", 2, 4)).toEqual(["oo"]); // pieces are letters
    expect(targetOf("日本😀 bad", 1, 4)).toEqual(["本😀"]);
  });

  test("is for a question without answer that it is not there", () => {
    expect(targets({ question: "a", context: letters(40) }, [], contextFor(16, { stride: 4 }))).toEqual(
      new Array(5).fill(undefined),
    );
  });

  test("is nothing where the answer is known, but not where it is, or in no window whole", () => {
    const context = contextFor(16, { stride: 4 }); // 12 tokens of the context in a window
    const long = { question: "a", context: letters(40) };
    const learnt = (...places: (Place | undefined)[]) => targets(long, places, context);
    expect(learnt(undefined)).toEqual([]);
    expect(learnt(undefined, undefined)).toEqual([]);
    expect(learnt({ start: 0, end: 25 })).toEqual([]); // 13 letters
    expect(learnt({ start: 0, end: 23 })[0]).toBe(long.context.slice(0, 23)); // 12
    expect(targets({ question: "a", context: "good \u0000 bad" }, [{ start: 5, end: 6 }], context)).toEqual([]);
    const unknown = { id: "q", answers: [], isImpossible: false };
    expect(features({ input: long, gold: unknown, place: "" }, encode(long, context), context)).toEqual([]);
  });

  test("is the first answer that a window holds", () => {
    const question = { question: "a", context: letters(40) };
    const context = contextFor(16, { stride: 4 });
    const [long, third, fifth] = [
      { start: 0, end: 25 },
      { start: 4, end: 5 },
      { start: 8, end: 9 },
    ];
    const learnt = (...places: (Place | undefined)[]) => targets(question, places, context)[0];
    expect(learnt(undefined, long, third, fifth)).toBe(question.context[4]);
    expect(learnt(fifth, third)).toBe(question.context[8]);
  });

  test("is of an impossible question that there is no answer, whatever answers it has", () => {
    const question = { question: "a", context: "good bad" };
    const context = contextFor(16);
    const gold = { id: "q", answers: [{ text: "good", span: { start: 0, end: 4 } }], isImpossible: true };
    const [{ target }] = features({ input: question, gold, place: "" }, encode(question, context), context);
    expect(Array.from(target)).toEqual([0, 0]);
  });

  test("weighs all windows of a batch alike", () => {
    const context = contextFor(16, { stride: 4 });
    const question = { question: "a", context: letters(40) };
    const batch = features(
      { input: question, gold: { id: "q", answers: [], isImpossible: true }, place: "" },
      encode(question, context),
      context,
    );
    const { weights, answers } = questionAnswering.targets(batch.slice(0, 2), batch);
    expect(Array.from(weights.data)).toEqual([0.1, 0.1].map(Math.fround)); // of 5, half for each end
    expect(answers).toMatchObject({ shape: [2, 2] });
  });
});

/** All spans of all windows, best first, from the definition: an answer begins where most is seen around its first token. */
function allSpans(question: Question, encodings: readonly Encoding[], logits: Float32Array[], context: Context) {
  const { maxAnswerLength } = context.settings;
  const places = tokensOf(question.context, context);
  const windows = encodings.map(({ ids, sequenceIds, offsets }) => {
    const from = sequenceIds.indexOf(1);
    const length = sequenceIds.filter((id) => id === 1).length;
    const isHere = (at: number) =>
      places.slice(at, at + length).every(({ id, start, end }, i) => {
        const token = from + i;
        return id === ids[token] && start === offsets[2 * token] && end === offsets[2 * token + 1];
      });
    return { from, first: [...places.keys()].findIndex(isHere), length };
  });
  const spans = places.flatMap((_, token) => {
    const seen = windows.map(({ first, length }) => Math.min(token - first, first + length - 1 - token));
    const window = seen.indexOf(Math.max(...seen));
    const { from, first, length } = windows[window];
    const covered = places.slice(token, Math.min(token + maxAnswerLength, first + length));
    return covered.map((_, i) => {
      const at = from + token - first;
      const own = covered.slice(0, i + 1);
      return {
        start: Math.min(...own.map(({ start }) => start)),
        end: Math.max(...own.map(({ end }) => end)),
        logit: Math.fround(logits[window][2 * at] + logits[window][2 * (at + i) + 1]),
      };
    });
  });
  return spans.sort((a, b) => b.logit - a.logit);
}

/** What `decode` finds where every span has a place of its own. */
function bruteForce(question: Question, encodings: readonly Encoding[], logits: Float32Array[], context: Context) {
  const { unanswerable } = context.settings;
  const best = allSpans(question, encodings, logits, context).slice(0, 20);
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

  describe.each([
    ["uncased", tokenizer],
    ["cased", cased],
  ])("are the context's own text, whatever that is, with an %s vocabulary", (_, tokenizer) => {
    const characters = ["a", "g", "good", " ", "  ", "\r\n", "\n", "\t", ".", "é", "ﬁ", "İ", "ß", "ç"];
    const marks = [
      "e\u0301",
      "\u0301",
      "\u0323",
      "a\u0323\u0301",
      "a\u0301\u0323",
      "😀\ufe0f",
      "日\u0300",
      "ש\u05b8",
      "a\u302e\u{1d165}",
    ];
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
    const text = fc.array(
      fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(...characters, ...marks, ...others, ...broken) },
        { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
      ),
      { maxLength: 40 },
    );
    const context = { ...contextFor(14, { stride: 3, maxAnswerLength: 9, unanswerable: true }), tokenizer };

    test("from the first of its tokens to the last, and the likeliest", () => {
      let [merged, windowed] = [0, 0];
      fc.assert(
        fc.property(fc.tuple(text, fc.constantFrom("", " ", "."), fc.nat()), ([pieces, between, seed]) => {
          const question = { question: "a?", context: pieces.join(between) };
          const encodings = encode(question, context);
          const logits = randomLogits(encodings, seed);
          const { spans } = decode(question, encodings, logits, context);
          const all = allSpans(question, encodings, logits, context).map(({ start, end, logit }) => {
            const accents = /^\p{Mn}*/u.exec(question.context.slice(end))?.[0] ?? "";
            return { place: `${start} ${end + accents.length}`, logit };
          });
          const found = spans.map(({ start, end }) => `${start} ${end}`);
          expect(all.map(({ place }) => place)).toEqual(expect.arrayContaining(found));
          // The 20 likeliest spans of tokens have fewer places where characters are several tokens.
          const best = all.slice(0, 20).filter((span, i) => all.findIndex(({ place }) => place === span.place) === i);
          expect(found.slice(0, best.length)).toEqual(best.map(({ place }) => place));
          best.forEach(({ logit }, i) => {
            expect(Math.log(spans[i].score / spans[0].score)).toBeCloseTo(logit - best[0].logit, 3);
          });
          if (best.length < Math.min(20, all.length)) merged++;
          if (encodings.length > 1) windowed++;
        }),
        { numRuns: 1000 },
      );
      expect(merged).toBeGreaterThan(25);
      expect(windowed).toBeGreaterThan(60);
    });

    test("with all the accents of its last letter", () => {
      let [spans, accented] = [0, 0];
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
            const isWhole = !/^\p{Mn}/u.test(question.context.slice(end));
            if (/\p{Mn}$/u.test(answer)) accented++;
            return start < end && answer === question.context.slice(start, end) && !splits && isWhole;
          });
          if (!isRight || new Set(places).size < places.length) throw new Error(JSON.stringify(found.spans));
          spans += places.length;
        }),
        { numRuns: 5000 },
      );
      expect(spans).toBeGreaterThan(15_000);
      expect(accented).toBeGreaterThan(3000);
    });
  });

  test("keep an accent that the tokenizer leaves out, at the end of a window and of the context too", () => {
    const context = contextFor(8, { maxAnswerLength: 1, stride: 0 }); // 4 tokens of the context in a window
    const question = { question: "a", context: "b c d e\u0301\u0323 f g\u0301" };
    const encodings = encode(question, context);
    expect(encodings.map(({ tokens }) => tokens.slice(3, -1).join(" "))).toEqual(["b c d e", "f g"]);
    const { spans } = decode(question, encodings, randomLogits(encodings, 1), context);
    expect(spans.map(({ answer }) => answer).toSorted()).toEqual(["b", "c", "d", "e\u0301\u0323", "f", "g\u0301"]);
    expect(spans.find(({ answer }) => answer.startsWith("e"))).toMatchObject({ start: 6, end: 9 });
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
    gold: { id, answers: answers.map((text) => ({ text })), isImpossible: answers.length === 0 },
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
    const unknown = { ...examples[2], gold: { id: "3", answers: [], isImpossible: false } };
    expect(settle(data([unknown]), settings).unanswerable).toBe(false);
  });

  test("is given above the threshold, which is found and kept unless it was chosen", () => {
    const scored = (settings: object) => score(examples, answers, contextFor(16, { unanswerable: true, ...settings }));
    const { score: best, metrics } = scored({});
    expect(best).toBe(1);
    expect(metrics).toMatchObject({ f1: 1, best: { f1: 1, f1Threshold: 2.5 } }); // at the threshold that it will have
    const concluded = conclude(contextFor(16, { unanswerable: true }).settings, metrics);
    expect(concluded.nullThreshold).toBe(2.5);
    expect(scored(concluded)).toMatchObject({ score: 1, metrics: { f1: 1 } });
    const chosen = contextFor(16, { unanswerable: true, nullThreshold: -2 }).settings;
    expect(scored(chosen)).toMatchObject({ score: 0.75, metrics: { f1: 0.75, noAnswer: { f1: 1 } } });
    expect(conclude(chosen, metrics)).toEqual(chosen);
  });

  test("is given to the same questions when all margins are rounded otherwise", () => {
    const { settings } = contextFor(16, { unanswerable: true });
    const kept = conclude(settings, score(examples, answers, contextFor(16, { unanswerable: true })).metrics);
    for (const error of [-1e-3, 1e-3]) {
      const rounded = answers.map((found) => ({ ...found, margin: found.margin + error }));
      expect(rounded.map((found) => isNone(found, kept.nullThreshold))).toEqual([false, false, true, true]);
    }
  });

  test("or one is scored by every gold text, wherever it stands", () => {
    const several = [example("1", "nowhere", "Good."), example("2", ""), example("3"), example("4", "bad")];
    const given = [found("good", -3), found("x", -3), found("y", 3), found("worse", -3)];
    const context = contextFor(16, { unanswerable: true, nullThreshold: 0 });
    expect(score(several, given, context).metrics).toMatchObject({
      exactMatch: 2 / 4,
      hasAnswer: { exactMatch: 1 / 3, total: 3 }, // an empty text is an answer too, as in the official script
      noAnswer: { exactMatch: 1, total: 1 },
    });
  });

  test("stands among several answers, and for one where the threshold says so", () => {
    const spans = [0.5, 0.2].map((score, start) => ({ answer: "b", start, end: start + 1, score }));
    const none = { answer: "", start: 0, end: 0, score: 0.3 };
    const both: FoundAnswers = { spans, noAnswer: 0.3, margin: -0.5 };
    const { settings } = contextFor(16, { unanswerable: true });
    expect(answersOf(both, { ...settings, topK: 5 })).toEqual([spans[0], none, spans[1]]);
    expect(answersOf(both, { ...settings, topK: 2, unanswerable: false })).toEqual(spans);
    expect(answersOf(both, settings)).toEqual([spans[0]]);
    expect(answersOf(both, { ...settings, nullThreshold: -1 })).toEqual([none]);
    expect(answersOf({ spans: [], noAnswer: 0, margin: 1 }, { ...settings, unanswerable: false })).toEqual([
      { ...none, score: 0 },
    ]);
    const question = { question: "a", context: "bb" };
    expect(present(both, question, { labels: [], settings })).toEqual({ ...spans[0], no_answer: 0.3 });
    expect(present(both, question, { labels: [], settings: { ...settings, topK: 2, unanswerable: false } })).toEqual({
      answers: spans,
    });
  });

  test("is out of the question for a model without it", () => {
    const context = contextFor(16);
    const { metrics, score: f1 } = score(examples, answers, context);
    expect(metrics).not.toHaveProperty("best");
    expect(f1).toBe(0.5);
    expect(conclude(context.settings, metrics)).toEqual(context.settings);
  });
});
