import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../base/errors.ts";
import {
  SPECIAL_TOKENS,
  type TrainVocabularyOptions,
  trainVocabulary,
  type VocabularyProgress,
} from "./train-vocabulary.ts";

const EVERYTHING = { size: 10_000, minFrequency: 0 };

async function tokensOf(texts: Iterable<string>, options: TrainVocabularyOptions = EVERYTHING): Promise<string[]> {
  return (await trainVocabulary(texts, options)).tokens;
}

function times(count: number, word: string): string {
  return `${word} `.repeat(count);
}

/** The four words by which Sennrich et al. (2016) explain byte-pair encoding. */
const SENNRICH = times(5, "low") + times(2, "lower") + times(6, "newest") + times(3, "widest");

describe("trainVocabulary", () => {
  it("joins the most frequent pair first and breaks ties by the ids of the pair", async () => {
    expect(await tokensOf([SENNRICH])).toEqual([
      ...["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
      ...["d", "e", "i", "l", "n", "o", "r", "s", "t", "w"],
      ...["##d", "##e", "##i", "##o", "##r", "##s", "##t", "##w"],
      ...["##es", "##est"], // 9 times: newest, widest; e+s before s+t, as ##e has the lower id
      ...["lo", "low"], // 7 times: low, lower
      ...["ne", "##west", "newest"], // 6 times; of ne+w and w+est the latter, as ##w has a lower id than ne
      ...["wi", "##dest", "widest"], // 3 times
      ...["##er", "lower"], // 2 times
    ]);
  });

  it("lets a token that is there already keep its id", async () => {
    const options = { ...EVERYTHING, specialTokens: ["low", "l", "##w"] };
    const tokens = await tokensOf(["low lower low"], options);
    expect(tokens).toEqual(["low", "l", "##w", "e", "o", "r", "w", "##e", "##o", "##r", "lo", "lowe", "lower"]);
  });

  it("agrees with a naive trainer that counts everything anew for each token", async () => {
    const letter = fc.constantFrom("a", "a", "a", "b", "b", "c", "d", "ß", "𝕏");
    const word = fc.string({ unit: letter, minLength: 1, maxLength: 10 });
    const options = fc.record({
      size: fc.integer({ min: 30, max: 120 }),
      minFrequency: fc.integer({ min: 0, max: 4 }),
      limitAlphabet: fc.integer({ min: 1, max: 7 }),
      specialTokens: fc.uniqueArray(fc.constantFrom("[PAD]", "[UNK]", "d", "##b", "aa", "##ab", "###"), {
        maxLength: 4,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 40 }), options, async (words, options) => {
        const tokens = await tokensOf([words.join(" ")], { ...options, lowercase: false });
        expect(tokens).toEqual(naiveTokens(words, options));
      }),
      { numRuns: 120 },
    );
  });

  it("depends neither on the order of the words nor on how the text is cut into lines", async () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 8 });
    const twoOrders = fc
      .array(word, { minLength: 1, maxLength: 30 })
      .chain((words) => fc.tuple(fc.constant(words), fc.shuffledSubarray(words, { minLength: words.length })));
    await fc.assert(
      fc.asyncProperty(twoOrders, async ([words, shuffled]) => {
        expect(await tokensOf(shuffled)).toEqual(await tokensOf([words.join("\n")]));
      }),
      { numRuns: 50 },
    );
  });

  it("stops at the size and at the lowest frequency, in both cases with the first tokens of a full training", async () => {
    const all = await tokensOf([SENNRICH]);
    expect(await tokensOf([SENNRICH], { size: 27, minFrequency: 0 })).toEqual(all.slice(0, 27));
    expect(await tokensOf([SENNRICH], { size: 10_000, minFrequency: 6 })).toEqual(all.slice(0, all.indexOf("wi")));
    expect(await tokensOf([`${SENNRICH} unique`], { size: 10_000 })).not.toContain("unique");
  });

  it("keeps the most frequent characters, of equally frequent ones those of lower code point, and leaves out the rest", async () => {
    const options = { size: 100, minFrequency: 0, limitAlphabet: 3, specialTokens: [] };
    expect(await tokensOf(["zz zz zz yax y x wb"], options)).toEqual([
      ...["x", "y", "z"], // z 6 times, x and y twice; a, b and w once
      ...["##x", "##z"],
      ...["zz", "yx"], // "yax" counts as "yx"
    ]);
  });

  it("normalises as asked and counts the words", async () => {
    const text = ["Crème, CRÈME!", "crème\u0000brûlée"];
    const uncased = await trainVocabulary(text, { size: 100, minFrequency: 0 });
    expect(uncased).toMatchObject({ words: 5, distinctWords: 4 });
    expect(uncased.tokens).toContain("creme");
    expect(await tokensOf(text, { ...EVERYTHING, stripAccents: false })).toContain("crème");
    expect(await tokensOf(text, { ...EVERYTHING, lowercase: false })).toContain("CRÈME");
  });

  it("takes a text, its pieces, or its pieces as they arrive", async () => {
    async function* arriving() {
      yield "low lower\n";
      yield "newest";
    }
    const whole = await trainVocabulary("low lower\nnewest", EVERYTHING);
    expect(await trainVocabulary(["low lower", "newest"], EVERYTHING)).toEqual(whole);
    expect(await trainVocabulary(arriving(), EVERYTHING)).toEqual(whole);
    expect(whole.words).toBe(3);
  });

  it("begins with the special tokens of BERT, or with others, each once", async () => {
    expect((await tokensOf(["a"])).slice(0, 5)).toEqual(SPECIAL_TOKENS);
    expect(await tokensOf(["b a"], { size: 9, specialTokens: ["<x>", "b", "<x>"] })).toEqual(["<x>", "b", "a"]);
  });

  it("reports both stages and ends with the whole", async () => {
    const reports: VocabularyProgress[] = [];
    await trainVocabulary([SENNRICH, "low"], { size: 27, onProgress: (progress) => reports.push(progress) });
    expect(reports).toContainEqual({ stage: "count", characters: SENNRICH.length + 3, words: 17 });
    expect(reports.at(-1)).toEqual({ stage: "merge", tokens: 27, size: 27 });
  });
});

describe("trainVocabulary refuses", () => {
  async function expectError(code: ErrorCode, message: RegExp, training: Promise<unknown>): Promise<void> {
    const error = await training.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ name: "ClozeError", code, message: expect.stringMatching(message) });
  }

  it.each([0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])("a size of %s", async (size) => {
    await expectError("OPTION_INVALID", /option size .* whole number from 1 on/, trainVocabulary(["a"], { size }));
  });

  it("other numbers out of their range", async () => {
    await expectError("OPTION_INVALID", /minFrequency/, trainVocabulary(["a"], { size: 9, minFrequency: -1 }));
    await expectError("OPTION_INVALID", /limitAlphabet/, trainVocabulary(["a"], { size: 9, limitAlphabet: 0 }));
    expect(await tokensOf(["a"], { size: 6, limitAlphabet: Number.POSITIVE_INFINITY })).toHaveLength(6);
  });

  it.each(["", "a b", "\n"])("the special token %j", async (token) => {
    await expectError("OPTION_INVALID", /specialTokens/, trainVocabulary(["a"], { size: 9, specialTokens: [token] }));
  });

  it("pieces that are no strings", async () => {
    const bytes: Iterable<never> = JSON.parse("[[104, 105]]");
    await expectError("OPTION_INVALID", /not a string; got \[object Array\]/, trainVocabulary(bytes, { size: 9 }));
  });

  it.each([[[]], [[""]], [[" \n", "\t\u0000"]]])("texts without a word: %j", async (texts) => {
    await expectError("TEXT_EMPTY", /no text to train/, trainVocabulary(texts, { size: 100 }));
  });

  it("a size that cannot hold special tokens and alphabet, but not one that just can", async () => {
    const message = /vocabulary of 8 tokens cannot hold 5 special tokens and an alphabet of 4; expected a size of 9/;
    await expectError("VOCABULARY_TOO_SMALL", message, trainVocabulary(["ab ba"], { size: 8 }));
    expect(await tokensOf(["ab ba"], { size: 9 })).toHaveLength(9);
  });

  it("to go on once aborted: before, while it reads and while it merges", async () => {
    const reason = new Error("enough");
    const options = { size: 200, minFrequency: 0, signal: AbortSignal.abort(reason) };
    await expect(trainVocabulary(["a"], options)).rejects.toMatchObject({ code: "ABORTED", cause: reason });

    const reading = new AbortController();
    let read = 0;
    function* pieces() {
      for (; read < 9; read++) {
        if (read === 3) reading.abort();
        yield "a";
      }
    }
    await expectError("ABORTED", /aborted/, trainVocabulary(pieces(), { size: 9, signal: reading.signal }));
    expect(read).toBe(3);

    const merging = new AbortController();
    const letters = "abcdefghijklmnopqrstuvwxyz";
    const text = [...letters].map((first) => [...letters].map((second) => first + second).join(" "));
    const onProgress = ({ stage }: VocabularyProgress) => {
      if (stage === "merge") merging.abort();
    };
    await expectError(
      "ABORTED",
      /aborted/,
      trainVocabulary(text, { ...EVERYTHING, signal: merging.signal, onProgress }),
    );
  });
});

type NaiveOptions = Required<Pick<TrainVocabularyOptions, "size" | "minFrequency" | "limitAlphabet" | "specialTokens">>;

/** The criterion in its plainest form: words are arrays of strings, and before each merge all pairs are counted anew. */
function naiveTokens(words: string[], options: NaiveOptions): string[] {
  const { size, minFrequency, limitAlphabet, specialTokens } = options;
  const tokens = [...specialTokens];
  const add = (token: string) => tokens.includes(token) || tokens.push(token);

  const byCodePoint = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;
  const frequency = (character: string) => words.join("").split(character).length - 1;
  const alphabet = [...new Set(words.join(""))].sort((a, b) => frequency(b) - frequency(a) || byCodePoint(a, b));
  for (const character of alphabet.slice(0, limitAlphabet).sort(byCodePoint)) add(character);
  const known = new Set(tokens);
  const later = new Set(words.flatMap((word) => [...word].slice(1).filter((character) => known.has(character))));
  for (const character of [...later].sort(byCodePoint)) add(`##${character}`);

  let spelled = words.map((word) =>
    [...word].flatMap((character, i) => (known.has(character) ? [i === 0 ? character : `##${character}`] : [])),
  );
  while (tokens.length < size) {
    const counts = new Map<string, number>();
    for (const pair of spelled.flatMap(pairsOf)) counts.set(pair, (counts.get(pair) ?? 0) + 1);
    const ids = (pair: string) => pair.split(" ").map((token) => tokens.indexOf(token));
    const [best] = [...counts].sort(([a, countA], [b, countB]) => {
      return countB - countA || ids(a)[0] - ids(b)[0] || ids(a)[1] - ids(b)[1];
    });
    if (best === undefined || best[1] < minFrequency) break;
    const [left, right] = best[0].split(" ");
    const joined = left! + right!.slice(2);
    add(joined);
    spelled = spelled.map((symbols) => {
      const merged: string[] = [];
      for (let i = 0; i < symbols.length; i++) {
        const found = symbols[i] === left && symbols[i + 1] === right;
        merged.push(found ? joined : symbols[i]);
        if (found) i++;
      }
      return merged;
    });
  }
  return tokens;
}

function pairsOf(symbols: string[]): string[] {
  return symbols.slice(1).map((symbol, i) => `${symbols[i]} ${symbol}`);
}
