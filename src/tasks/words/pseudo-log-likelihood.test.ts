import { expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { oracle, probabilitiesByHand, tinyMaskedLm } from "../../../test/tiny-masked-lm.ts";
import { pseudoLogLikelihoodPipeline, pseudoLogLikelihoods } from "./pseudo-log-likelihood.ts";

const WORDS = ["a", "day", "good", "bad", "##ly"];

test("is the sum of the logarithms of the tokens' probabilities", async () => {
  const judge = pseudoLogLikelihoodPipeline(await oracle({ a: 0.5, day: 0.25, "##ly": 0.1 }));
  expect(await judge("A day, dayly")).toEqual({
    score: expect.closeTo(Math.log(0.5 * 0.25 * (0.15 / 5) * 0.25 * 0.1), 5), // the comma is unknown
    tokens: 5,
    perplexity: expect.closeTo((0.5 * 0.25 * 0.03 * 0.25 * 0.1) ** (-1 / 5), 4),
  });
});

test("masks each token in turn, special ones apart", async () => {
  const tiny = await tinyMaskedLm(WORDS);
  const { tokenizer } = tiny.model;
  const { ids, typeIds, length } = tokenizer.encode("a good day goodly");
  let expected = 0;
  for (let position = 1; position < length - 1; position++) {
    const masked = ids.with(position, tokenizer.specialIds.mask);
    const [probabilities] = await probabilitiesByHand(tiny, { ids: masked, typeIds, positions: [position] });
    expected += Math.log(probabilities[ids[position]]);
  }
  const [{ score, tokens }] = await pseudoLogLikelihoods(tiny.model, ["a good day goodly"]);
  expect(score).toBeCloseTo(expected, 10);
  expect(tokens).toBe(length - 2);
});

test("a list gives what each text gives alone", async () => {
  const judge = pseudoLogLikelihoodPipeline((await tinyMaskedLm(WORDS)).model);
  const texts = ["a", "a good day", "bad", "day a good bad goodly"];
  const alone = await Promise.all(texts.map((text) => judge(text)));
  expect(await judge(texts)).toEqual(alone);
});

test("of a text that is too long, each token is predicted from those around it", async () => {
  const tiny = await tinyMaskedLm(WORDS, { maxLength: 6 });
  const { tokenizer } = tiny.model;
  const text = "a good day bad a day good";
  const ids = [...tokenizer.ids(text)];
  const { cls, sep, mask } = tokenizer.specialIds;
  let expected = 0;
  // Windows of four tokens: where each begins, and which of its tokens is asked for.
  for (const [start, place] of [
    [0, 0],
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 1],
    [3, 2],
    [3, 3],
  ]) {
    const copy = Int32Array.of(cls, ...ids.slice(start, start + 4), sep).with(1 + place, mask);
    const sequence = { ids: copy, typeIds: new Int32Array(6), positions: [1 + place] };
    expected += Math.log((await probabilitiesByHand(tiny, sequence))[0][ids[start + place]]);
  }
  const [{ score, tokens }] = await pseudoLogLikelihoods(tiny.model, [text]);
  expect(tokens).toBe(7);
  expect(score).toBeCloseTo(expected, 10);
});

test("of more copies than are made at once is the same", async () => {
  const model = await oracle({ a: 0.5 }, { maxLength: 8 });
  const [long, short] = await pseudoLogLikelihoods(model, ["a ".repeat(2100), "a a"]);
  expect(long).toEqual({
    score: expect.closeTo(2100 * Math.log(0.5), 2),
    tokens: 2100,
    perplexity: expect.closeTo(2, 5),
  });
  expect(short).toMatchObject({ tokens: 2, perplexity: expect.closeTo(2, 5) });
});

test("a text without tokens has none", async () => {
  const judge = pseudoLogLikelihoodPipeline(await oracle({ a: 0.5 }));
  await expectError(judge(["a", " \u200b "]), "TEXT_EMPTY", "no tokens");
});
