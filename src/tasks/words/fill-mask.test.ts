import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { oracle, probabilitiesByHand, tinyMaskedLm } from "../../../test/tiny-masked-lm.ts";
import { fillMaskPipeline, fillMasks } from "./fill-mask.ts";

const WORDS = ["a", "day", "good", "bad", "##ly", ".", "é"];
const PROBABILITIES = { a: 0.01, day: 0.04, good: 0.5, bad: 0.25, "##ly": 0.125, ".": 0.05 };

describe("the form of the results is that of transformers, with the place of the mask", () => {
  const candidate = (score: number, token: number, token_str: string, rest: object) => ({
    score: expect.closeTo(score, 6),
    token,
    token_str,
    ...rest,
  });

  test("one mask: a list", async () => {
    const fill = fillMaskPipeline(await oracle(PROBABILITIES));
    const place = { start: 2, end: 8 };
    expect(await fill("A [MASK] day.")).toEqual([
      candidate(0.5, 7, "good", { sequence: "a good day.", ...place }),
      candidate(0.25, 8, "bad", { sequence: "a bad day.", ...place }),
      candidate(0.125, 9, "##ly", { sequence: "aly day.", ...place }),
      candidate(0.05, 10, ".", { sequence: "a. day.", ...place }),
      candidate(0.04, 6, "day", { sequence: "a day day.", ...place }),
    ]);
  });

  test("several masks: a list of lists, the other masks kept, and with them all special tokens", async () => {
    const fill = fillMaskPipeline(await oracle(PROBABILITIES));
    const [first, second] = [
      { start: 0, end: 6 },
      { start: 14, end: 20 },
    ];
    expect(await fill("[MASK]   day  [MASK]", { top_k: 2 })).toEqual([
      [
        candidate(0.5, 7, "good", { sequence: "[CLS] good day [MASK] [SEP]", ...first }),
        candidate(0.25, 8, "bad", { sequence: "[CLS] bad day [MASK] [SEP]", ...first }),
      ],
      [
        candidate(0.5, 7, "good", { sequence: "[CLS] [MASK] day good [SEP]", ...second }),
        candidate(0.25, 8, "bad", { sequence: "[CLS] [MASK] day bad [SEP]", ...second }),
      ],
    ]);
  });

  test("several texts: a list of what each gives alone", async () => {
    const fill = fillMaskPipeline((await tinyMaskedLm(WORDS)).model);
    const texts = ["a [MASK]", "[MASK] a [MASK]", "good [MASK] day ."];
    const alone = await Promise.all(texts.map((text) => fill(text)));
    expect(alone.map((result) => Array.isArray(result[0]))).toEqual([false, true, false]);
    expect(await fill(texts)).toEqual(alone);
    expect(await fill(texts.slice(0, 1))).toEqual(alone.slice(0, 1));
    expect(await fill([])).toEqual([]);
  });

  test("masks by the hundred are no other than few", async () => {
    const { model } = await tinyMaskedLm(WORDS, { maxLength: 400 });
    const texts = [300, 1, 100, 120, 2].map((count) => `${"[MASK] ".repeat(count)}day`);
    const { results } = await fillMasks(model, texts, { top_k: 1 });
    expect(results.map((masks) => masks.length)).toEqual([300, 1, 100, 120, 2]);
    for (const [i, text] of texts.entries()) {
      expect((await fillMasks(model, [text], { top_k: 1 })).results).toEqual([results[i]]);
    }
  });

  test("padding is left out of the sequence, be it in the text or predicted", async () => {
    const fill = fillMaskPipeline(await oracle({ a: 0.1 }));
    const sequences = [await fill("a [PAD] [MASK]", { targets: "[PAD]" }), await fill("[MASK][MASK] [PAD]")].flat(2);
    expect(sequences.map(({ sequence }) => sequence).filter((text) => text.includes("[PAD]"))).toEqual([]);
  });
});

test("scores are the softmax of the graph's logits at the masks", async () => {
  const tiny = await tinyMaskedLm(WORDS);
  const { tokenizer } = tiny.model;
  const text = "a [MASK] good [MASK] day";
  const { ids, typeIds } = tokenizer.encode(text);
  const expected = await probabilitiesByHand(tiny, { ids, typeIds, positions: [2, 4] });
  const { results } = await fillMasks(tiny.model, [text], { top_k: tokenizer.vocabulary.size });
  expect(results[0]).toHaveLength(2);
  results[0].forEach((candidates, mask) => {
    expect(candidates.map(({ score }) => score)).toEqual(
      candidates.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    for (const { token, score } of candidates) expect(score).toBeCloseTo(expected[mask][token], 12);
    expect(new Set(candidates.map(({ token }) => token)).size).toBe(tokenizer.vocabulary.size);
  });
});

test("every mask of a text is found where it stands, in texts of any kind", async () => {
  const { model } = await tinyMaskedLm(WORDS);
  const part = fc.oneof(fc.constantFrom("[MASK]", "[MASK]", ...WORDS), fc.string({ unit: "binary", maxLength: 5 }));
  const texts = fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { maxLength: 4 }), async (some) => {
      const masked = some.filter((text) => text.includes("[MASK]"));
      const { results } = await fillMasks(model, masked, { top_k: 1 });
      masked.forEach((text, i) => {
        const places = [...text.matchAll(/\[MASK\]/g)].map(({ index }) => index);
        expect(results[i].map(([{ start }]) => start)).toEqual(places);
        for (const [{ start, end }] of results[i]) expect(text.slice(start, end)).toBe("[MASK]");
      });
    }),
    { numRuns: 100 },
  );
});

describe("targets", () => {
  test("are the only candidates, with their scores among all words", async () => {
    const model = await oracle(PROBABILITIES);
    const fill = fillMaskPipeline(model);
    const all = (await fill("a [MASK]", { top_k: 99 })).flat();
    const some = await fill("a [MASK]", { targets: ["BAD", "day", "day", "##ly"] });
    expect(some).toEqual(all.filter(({ token_str }) => ["bad", "day", "##ly"].includes(token_str)));
    expect(await fill("a [MASK]", { targets: "day" })).toMatchObject([{ token_str: "day" }]);
    expect(await fill("a [MASK]", { targets: ["day", "good"], top_k: 1 })).toMatchObject([{ token_str: "good" }]);
  });

  test.each([
    ["goodly", "good ##ly"],
    ["good day", "good day"],
    ["worse", "[UNK]"],
    ["", "no token at all"],
  ])("%j is no single token", async (word, pieces) => {
    const fill = fillMaskPipeline(await oracle(PROBABILITIES));
    await expectError(fill("a [MASK]", { targets: ["good", word] }), "TARGET_UNKNOWN", JSON.stringify(word), pieces);
  });
});

describe("a text that is too long", () => {
  const long = (masks: readonly number[]) =>
    Array.from({ length: 40 }, (_, i) => (masks.includes(i) ? "[MASK]" : WORDS[i % 4])).join(" ");

  test("is seen through a window around its masks, and told whole", async () => {
    const tiny = await tinyMaskedLm(WORDS, { maxLength: 10 });
    const text = long([20, 22]);
    const { results, truncated } = await fillMasks(tiny.model, [text, "a [MASK]"], { top_k: 1 });
    expect(truncated).toBe(1);
    const { ids, typeIds } = tiny.model.tokenizer.encode(text.split(" ").slice(18, 26).join(" "));
    const expected = await probabilitiesByHand(tiny, { ids, typeIds, positions: [3, 5] });
    results[0].forEach(([{ score, token, sequence, start, end }], mask) => {
      expect(score).toBeCloseTo(expected[mask][token], 12);
      expect(sequence.split(" ")).toHaveLength(42);
      expect(text.slice(start, end)).toBe("[MASK]");
    });
  });

  test("may have its masks as far apart as the model sees, and no farther", async () => {
    const { model } = await tinyMaskedLm(WORDS, { maxLength: 10 });
    expect((await fillMasks(model, [long([5, 12])])).results[0]).toHaveLength(2);
    await expectError(fillMasks(model, [long([5, 13])]), "TRUNCATION_IMPOSSIBLE", "at most 8 tokens", "got 9");
  });
});

describe("errors", () => {
  test("of a text without a mask", async () => {
    const { model } = await tinyMaskedLm(WORDS);
    await expectError(fillMasks(model, ["a [MASK]", "a day"]), "MASK_MISSING", '"a day"', "Put [MASK]");
    await expectError(fillMasks(model, ["a [mask]"]), "MASK_MISSING");
    await expectError(fillMasks(model, [`a${"😀".repeat(50)}`]), "MASK_MISSING", `got "a${"😀".repeat(29)}…"`);
  });

  test("of options", async () => {
    const { model } = await tinyMaskedLm(WORDS);
    await expectError(fillMasks(model, ["a [MASK]"], { top_k: 0 }), "OPTION_INVALID", "top_k");
    await expectError(fillMasks(model, ["a [MASK]"], { targets: [] }), "OPTION_INVALID", "targets");
  });
});
