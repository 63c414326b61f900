import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerScores, exactMatch, f1, type GoldAnswers, normalizeAnswer } from "./answer-scores.ts";

const gold = (id: string, ...texts: string[]): GoldAnswers => ({ id, answers: texts.map((text) => ({ text })) });
const byId = <T>(values: Record<string, T>) => new Map(Object.entries(values));

/** The right-hand sides are what Python 3.11 makes of the rules of the official script. */
describe("normalizeAnswer", () => {
  test.each([
    ["The Beatles", "beatles"],
    ["an  apple, a pear", "apple pear"],
    ["a a the an", ""],
    ["", ""],
    ["the-end", "theend"],
    ["A.N.", ""], // the points go before the articles
    ["U.S.", "us"],
    ["$5,000", "5000"],
    ["a_b an", "ab"],
    ["!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~x", "x"],
    ["don’t “the” «a» —a—", "don’t “ ” « » — —"], // only ASCII punctuation goes
    ["Théâtre thé", "théâtre thé"], // é is a letter, and no end of a word
    ["a\u0301 b", "\u0301 b"], // a combining accent is none
    ["a中 中文 the 文", "a中 中文 文"],
    ["a² ²a ٣a aⅣ a", "a² ²a ٣a aⅳ"],
    ["😀a😀", "😀 😀"],
    ["the\u00a0a\u00a0cat\u3000sat", "cat sat"],
    ["x\u001cy\u0085z\u2028", "x y z"],
    ["\ufeffa b\u200bthe", "\ufeff b\u200b"], // neither is white space
    ["ΟΔΟΣ İstanbul ẞ", "οδος i̇stanbul ß"],
  ])("%j becomes %j", (text, normalized) => {
    expect(normalizeAnswer(text)).toBe(normalized);
  });
});

describe("exactMatch and f1", () => {
  test.each([
    ["the Köln Cathedral", ["Köln cathedral."], 1, 1],
    ["Köln", ["Köln cathedral"], 0, 2 / 3],
    ["in Köln cathedral", ["Bonn", "Köln cathedral", "Köln"], 0, 4 / 5],
    ["Köln", ["Koln"], 0, 0],
    ["cat cat dog", ["cat dog dog dog"], 0, 4 / 7],
    ["東京 都", ["東京"], 0, 2 / 3],
    ["a", [], 1, 1], // nothing is left of it
    ["", [], 1, 1],
    ["Köln", [], 0, 0],
    ["", ["Köln"], 0, 0],
    ["", ["the", "Köln"], 0, 0], // a gold answer of which nothing is left does not count
    ["", ["the", "..."], 1, 1], // unless there is no other
  ])("%j against %j: %d, %d", (prediction, answers, exact, overlap) => {
    expect(exactMatch(prediction, answers)).toBe(exact);
    expect(f1(prediction, answers)).toBeCloseTo(overlap, 12);
  });

  test("f1 is symmetric, between 0 and 1, and 1 for an exact match", () => {
    const phrase = fc
      .array(fc.constantFrom("the", "cat", "Cat.", "dog", "x"), { maxLength: 6 })
      .map((w) => w.join(" "));
    fc.assert(
      fc.property(phrase, phrase, (a, b) => {
        expect(f1(a, [b])).toBe(f1(b, [a]));
        expect(f1(a, [b])).toBeGreaterThanOrEqual(exactMatch(a, [b]));
        expect(f1(a, [b])).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("answerScores", () => {
  test("are means over the questions, and over those with and without answer", () => {
    const questions = [gold("a", "Köln"), gold("b", "Köln cathedral"), gold("c"), gold("d"), gold("e", "Bonn")];
    const predictions = byId({ a: "Köln", b: "Köln", c: "", d: "Bonn", e: "" });
    expect(answerScores(predictions, questions)).toEqual({
      exactMatch: 2 / 5,
      f1: expect.closeTo((1 + 2 / 3 + 1) / 5, 12),
      total: 5,
      missing: 0,
      unknown: 0,
      hasAnswer: { exactMatch: 1 / 3, f1: expect.closeTo((1 + 2 / 3) / 3, 12), total: 3 },
      noAnswer: { exactMatch: 1 / 2, f1: 1 / 2, total: 2 },
    });
  });

  test("a missing prediction scores 0, even where there is no answer, and unknown ids are counted", () => {
    const questions = [gold("a", "x"), gold("b"), gold("c")];
    const predictions = byId({ a: "x", c: "", z: "x", constructor: "x" });
    const scores = answerScores(predictions, questions, { noAnswerScores: byId({ a: 0, c: 0, z: 0 }) });
    expect(scores).toMatchObject({ exactMatch: 2 / 3, f1: 2 / 3, missing: 1, unknown: 2, noAnswer: { f1: 1 / 2 } });
    expect(scores.best).toEqual({ exactMatch: 2 / 3, exactMatchThreshold: 0.5, f1: 2 / 3, f1Threshold: 0.5 });
  });

  test("without unanswerable questions or no-answer scores there are no such figures", () => {
    const scores = answerScores(byId({ a: "x" }), [gold("a", "x")]);
    expect(scores).toEqual({ exactMatch: 1, f1: 1, total: 1, missing: 0, unknown: 0 });
    expect(answerScores(new Map(), [])).toMatchObject({ exactMatch: 0, f1: 0, total: 0 });
  });

  test("a no-answer score above the threshold empties the prediction", () => {
    const questions = [gold("a", "x"), gold("b", "x"), gold("c"), gold("d")];
    const predictions = byId({ a: "x", b: "x", c: "x", d: "x" });
    const noAnswerScores = byId({ a: 0.5, b: 1.5, c: 1.25, d: 1 });
    const exact = (threshold?: number) =>
      answerScores(predictions, questions, { noAnswerScores, ...(threshold !== undefined && { threshold }) })
        .exactMatch;
    expect([exact(), exact(1.25), exact(2), exact(-1)]).toEqual([2 / 4, 1 / 4, 2 / 4, 2 / 4]);
    const { best } = answerScores(predictions, questions, { noAnswerScores });
    expect(best).toEqual({ exactMatch: 3 / 4, exactMatchThreshold: 0.75, f1: 3 / 4, f1Threshold: 0.75 });
  });

  test("a prediction without its no-answer score is OPTION_INVALID", () => {
    const score = () =>
      answerScores(byId({ a: "x", b: "y" }), [gold("a"), gold("b")], { noAnswerScores: byId({ a: 1 }) });
    expect(score).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining('"b"') }));
  });

  test("no threshold beats the best ones", () => {
    const text = fc.constantFrom("", "x", "y z", "z");
    const example = fc.record({ answers: fc.array(text.filter(Boolean), { maxLength: 3 }), prediction: text });
    const scores = fc.uniqueArray(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 12 });
    const run = scores.chain((values) =>
      fc.tuple(fc.constant(values), fc.array(example, { minLength: values.length, maxLength: values.length })),
    );
    fc.assert(
      fc.property(run, ([values, examples]) => {
        const questions = examples.map(({ answers }, index) => gold(`q${index}`, ...answers));
        const predictions = new Map(examples.map(({ prediction }, index) => [`q${index}`, prediction]));
        const noAnswerScores = new Map(values.map((value, index) => [`q${index}`, value]));
        const at = (threshold: number) => answerScores(predictions, questions, { noAnswerScores, threshold });
        const { best } = at(1);
        const empty = at(Number.NEGATIVE_INFINITY);
        const tried = values.toSorted((a, b) => a - b).map((threshold) => ({ threshold, ...at(threshold) }));
        for (const [metric, threshold] of [
          ["exactMatch", best?.exactMatchThreshold],
          ["f1", best?.f1Threshold],
        ] as const) {
          const highest = Math.max(empty[metric], ...tried.map((scores) => scores[metric]));
          expect(best?.[metric]).toBeCloseTo(highest, 12);
          if (threshold === undefined) throw new Error("no threshold");
          expect(at(threshold)[metric]).toBeCloseTo(highest, 12);
        }
      }),
    );
  });

  test("the sweep does as the script where its figures are not those of a threshold", () => {
    const best = (questions: GoldAnswers[], predictions: Record<string, string>, scores: Record<string, number>) =>
      answerScores(byId(predictions), questions, { noAnswerScores: byId(scores) }).best;
    // Between two of one score: the right one counts as itself, the wrong one as empty.
    const tied = best([gold("a", "x"), gold("b")], { a: "x", b: "x" }, { a: 5, b: 5 });
    expect(tied).toMatchObject({ exactMatch: 1, exactMatchThreshold: 5.5 });
    // "the" is an empty answer everywhere else.
    const article = best([gold("a"), gold("b", "x")], { a: "the", b: "x" }, { a: 1, b: 2 });
    expect(article).toMatchObject({ f1: 1 / 2, f1Threshold: 0.5 });
  });

  test("a best threshold is as far as it can be from the scores on both sides", () => {
    const questions = [gold("a", "x"), gold("b", "x"), gold("c"), gold("d")];
    const best = (noAnswerScores: Record<string, number>, answer = "x") =>
      answerScores(byId({ a: answer, b: answer, c: "y", d: "y" }), questions, { noAnswerScores: byId(noAnswerScores) })
        .best;
    expect(best({ a: -3, b: 1, c: 4, d: 9 })).toMatchObject({ f1: 1, f1Threshold: 2.5 });
    expect(best({ a: 1, b: 1, c: 2, d: 2 })).toMatchObject({ f1: 1, f1Threshold: 1.5 });
    const [score, next] = [1, 1 + Number.EPSILON]; // with no number between them
    expect(best({ a: score, b: score, c: next, d: next })).toMatchObject({ f1: 1, f1Threshold: score });
    // Beyond the last and before the first it is half a unit.
    expect(best({ a: 7, b: 1, c: 2, d: 9 })).toMatchObject({ f1: 3 / 4, f1Threshold: 1.5 });
    expect(best({ a: -3, b: 1, c: 4, d: 9 }, "y")).toMatchObject({ f1: 1 / 2, f1Threshold: -3.5 });
    const all = answerScores(byId({ a: "x", b: "x" }), [gold("a", "x"), gold("b", "x")], {
      noAnswerScores: byId({ a: 1, b: 3 }),
    });
    expect(all.best).toMatchObject({ f1: 1, f1Threshold: 3.5 });
  });
});
