import { describe, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { oracle, probabilitiesByHand, tinyMaskedLm } from "../../../test/tiny-masked-lm.ts";
import { nextWordPipeline, nextWords } from "./next-word.ts";

const PROBABILITIES = {
  the: 0.2,
  of: 0.1,
  france: 0.05,
  fra: 0.1,
  fr: 0.02,
  "##me": 0.03,
  "##mes": 0.01,
  "##nce": 0.04,
  "##y": 0.005,
  "fra-": 0.01,
  ".": 0.3,
  Frankish: 0.1,
};
const next = async () => nextWordPipeline(await oracle(PROBABILITIES));

describe("the next word", () => {
  test("is a whole word, no punctuation and no piece of one, nor a token that no text is cut into", async () => {
    const words = await (await next())("The capital ", { top_k: 99 });
    expect(words).toEqual([
      { score: expect.closeTo(0.2, 6), word: "the", text: "The capital the" },
      { score: expect.closeTo(0.1, 6), word: "of", text: "The capital of" },
      { score: expect.closeTo(0.1, 6), word: "fra", text: "The capital fra" },
      { score: expect.closeTo(0.05, 6), word: "france", text: "The capital france" },
      { score: expect.closeTo(0.02, 6), word: "fr", text: "The capital fr" },
    ]);
  });

  test.each([
    ["", "the"],
    ["The ", "The the"],
    ["The\n", "The\nthe"],
    ["The.", "The. the"],
    ["The, ", "The, the"],
    ["The (", "The (the"],
    ["The-", "The-the"],
    ["The [MASK] ", "The [MASK] the"],
  ])("after %j gives %j", async (text, expected) => {
    expect(await (await next())(text, { top_k: 1 })).toMatchObject([{ word: "the", text: expected }]);
  });
});

describe("a begun word", () => {
  test("is completed by words of one piece and of several, each by the product of its pieces", async () => {
    const words = await (await next())("The capital of Fra", { top_k: 99 });
    expect(words).toEqual([
      { score: expect.closeTo(0.1, 6), word: "Fra", text: "The capital of Fra" },
      { score: expect.closeTo(0.05, 6), word: "France", text: "The capital of France" },
      { score: expect.closeTo(0.1 * 0.03, 6), word: "Frame", text: "The capital of Frame" },
      { score: expect.closeTo(0.1 * 0.01, 6), word: "Frames", text: "The capital of Frames" },
      { score: expect.closeTo(0.1 * 0.005, 6), word: "Fray", text: "The capital of Fray" },
    ]); // not fra ##nce, which is no other word than france
  });

  test("goes on within its last piece, or behind it", async () => {
    const words = await (await next())("frame", { top_k: 3 });
    expect(words.map(({ word, score }) => [word, score])).toEqual([
      ["frame", expect.closeTo(0.1 * 0.03, 6)],
      ["frames", expect.closeTo(0.1 * 0.01, 6)],
      ["framence", expect.closeTo(0.1 * 0.03 * 0.04, 8)],
    ]);
  });

  test("has as many words as there are", async () => {
    expect(await (await next())("the", { top_k: 2 })).toHaveLength(2);
    expect(await (await next())("zz")).toEqual([]);
    expect(await (await next())("fram")).toEqual([]); // which the vocabulary cannot spell: there is no ##m
  });

  test("has the probabilities that the graph gives to its pieces from left to right", async () => {
    const tiny = await tinyMaskedLm(Object.keys(PROBABILITIES));
    const { cls, mask, sep } = tiny.model.tokenizer.specialIds;
    const idOf = (token: string) => tiny.model.tokenizer.vocabulary.idOf(token)!;
    const probabilities = async (...ids: number[]) => {
      const sequence = {
        ids: Int32Array.of(cls, idOf("of"), ...ids, mask, sep),
        typeIds: new Int32Array(4 + ids.length),
      };
      return (await probabilitiesByHand(tiny, { ...sequence, positions: [2 + ids.length] }))[0];
    };
    const [first, second] = [await probabilities(), await probabilities(idOf("fra"))];
    const { results } = await nextWords(tiny.model)(["of fra"], { top_k: 99 });
    const scores = Object.fromEntries(results[0].map(({ word, score }) => [word, score]));
    expect(scores).toEqual({
      fra: expect.closeTo(first[idOf("fra")], 12),
      france: expect.closeTo(first[idOf("france")], 12),
      ...Object.fromEntries(
        ["me", "mes", "y"].map((end) => [
          `fra${end}`,
          expect.closeTo(first[idOf("fra")] * second[idOf(`##${end}`)], 12),
        ]),
      ),
    });
    expect(results[0].map(({ score }) => score)).toEqual(Object.values(scores).toSorted((a, b) => b - a));
  });
});

test("a list gives what each text gives alone", async () => {
  const predict = nextWordPipeline((await tinyMaskedLm(Object.keys(PROBABILITIES))).model);
  const texts = ["the ", "of fra", "", "france."];
  const alone = await Promise.all(texts.map((text) => predict(text)));
  expect(await predict(texts)).toEqual(alone);
});

test("a text that is too long loses its beginning", async () => {
  const { model } = await tinyMaskedLm(Object.keys(PROBABILITIES), { maxLength: 8 });
  const { results, truncated } = await nextWords(model)(["the the the of of of of frame", "of of of frame"]);
  expect(results[0].map(({ score }) => score)).toEqual(results[1].map(({ score }) => score));
  expect(truncated).toBe(1);
  expect((await nextWords(model)([`the ${"frame".padEnd(12, "y")}`])).results[0]).toEqual([]); // more pieces than fit
});

test("top_k must be a count", async () => {
  await expectError((await next())("the", { top_k: -1 }), "OPTION_INVALID", "top_k");
});
