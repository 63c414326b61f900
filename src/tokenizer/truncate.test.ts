import fc from "fast-check";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { BertTokenizer, type WindowOptions } from "./tokenizer.ts";
import { formatTokenizerJson } from "./tokenizer-json.ts";
import type { Truncation } from "./truncate.ts";

const WORDS = [..."abcdefghijklmnopqrstuvwxyz"];
const tokenizer = BertTokenizer.fromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...WORDS]);

const STRATEGIES = { longest_first: "LongestFirst", only_first: "OnlyFirst", only_second: "OnlySecond" };

const text = (length: number) => WORDS.slice(0, length).join(" ");
const capitals = (length: number) => text(length).toUpperCase();

function rustWith(maxLength: number, truncation: Truncation) {
  const file = JSON.parse(formatTokenizerJson(tokenizer.spec));
  file.truncation = { direction: "Right", max_length: maxLength, strategy: STRATEGIES[truncation], stride: 0 };
  return Tokenizer.fromString(JSON.stringify(file));
}

describe("truncation", () => {
  it("is as in Rust", async () => {
    const length = fc.integer({ min: 1, max: 12 });
    const strategy = fc.constantFrom<Truncation>("longest_first", "only_first", "only_second");
    const cases = fc.tuple(length, fc.option(length), fc.integer({ min: 4, max: 16 }), strategy, fc.boolean());
    await fc.assert(
      fc.asyncProperty(cases, async ([first, second, maxLength, truncation, addSpecialTokens]) => {
        const pair = second === null ? undefined : capitals(second);
        const options = { pair, maxLength, truncation, addSpecialTokens };
        const encode = () => [...tokenizer.encode(text(first), options).ids];
        const expected = await rustWith(maxLength, truncation)
          .encode(text(first), pair ?? null, { addSpecialTokens })
          .then((encoding) => encoding.getIds())
          .catch(() => undefined);
        if (expected !== undefined) expect(encode()).toEqual(expected);
        else expect(encode).toThrow(expect.objectContaining({ code: "TRUNCATION_IMPOSSIBLE" }));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, string | undefined, WindowOptions, string]>([
    ["leaves short texts alone", undefined, { maxLength: 8 }, "[CLS] a b c d e f [SEP]"],
    ["cuts a text", undefined, { maxLength: 5 }, "[CLS] a b c [SEP]"],
    ["cuts without special tokens", undefined, { maxLength: 5, addSpecialTokens: false }, "a b c d e"],
    ["leaves nothing where there is room for nothing", undefined, { maxLength: 2 }, "[CLS] [SEP]"],
    ["cuts the longer of two", "X Y", { maxLength: 8 }, "[CLS] a b c [SEP] x y [SEP]"],
    ["shares the room of two long ones", "X Y Z W V U", { maxLength: 8 }, "[CLS] a b [SEP] x y z [SEP]"],
    ["cuts the first", "X Y Z", { maxLength: 7, truncation: "only_first" }, "[CLS] a [SEP] x y z [SEP]"],
    ["cuts the second", "X Y Z", { maxLength: 10, truncation: "only_second" }, "[CLS] a b c d e f [SEP] x [SEP]"],
  ])("%s", (_, pair, options, tokens) => {
    expect(tokenizer.encode(text(6), { pair, ...options }).tokens.join(" ")).toBe(tokens);
  });

  it.each<[string, string | undefined, WindowOptions]>([
    ["a maxLength below the special tokens", undefined, { maxLength: 1 }],
    ["a maxLength below those of a pair", "x", { maxLength: 2 }],
    ["cutting a second text that is not there", undefined, { maxLength: 4, truncation: "only_second" }],
    ["cutting a text that is too short", "x y z w", { maxLength: 5, truncation: "only_first" }],
  ])("refuses %s", (_, pair, options) => {
    expect(() => tokenizer.encode(text(3), { pair, ...options })).toThrow(
      expect.objectContaining({ code: "TRUNCATION_IMPOSSIBLE" }),
    );
  });

  it.each([1.5, -1, Number.NaN])("refuses the maxLength %s", (maxLength) => {
    expect(() => tokenizer.encode("a", { maxLength })).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

describe("windows", () => {
  it("are as in Rust", async () => {
    const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));
    const length = fc.integer({ min: 1, max: 26 });
    await fc.assert(
      fc.asyncProperty(
        length,
        fc.option(length),
        fc.integer({ min: 2, max: 9 }),
        fc.nat(8),
        async (a, b, size, overlap) => {
          fc.pre(overlap < size);
          // Rust 0.23 drops what lies beyond max_length before it makes windows, so the parts are cut by hand
          const parts = [text(a), ...(b === null ? [] : [capitals(b)])];
          const [first, second] = await Promise.all(
            parts.map((part) => rust.encode(part, null, { addSpecialTokens: false })),
          );
          (second ?? first).truncate(size, overlap, "right");
          const whole = rust.postProcess(first, second, true);
          const expected = [whole, ...whole.getOverflowing()].map((window) => window.getTokens().join(" "));
          const maxLength = b === null ? size + 2 : a + size + 3;
          const windows = tokenizer.encodeWindows(text(a), {
            pair: parts[1],
            maxLength,
            stride: overlap,
            truncation: b === null ? "only_first" : "only_second",
          });
          expect(windows.map(({ tokens }) => tokens.join(" "))).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("say where their tokens come from", () => {
    const windows = tokenizer.encodeWindows("a b c d e", { maxLength: 5, stride: 1 });
    expect(windows.map(({ tokens }) => tokens.join(" "))).toEqual(["[CLS] a b c [SEP]", "[CLS] c d e [SEP]"]);
    expect([...windows[1].offsets]).toEqual([0, 0, 4, 5, 6, 7, 8, 9, 0, 0]);
    expect([...windows[1].wordIds]).toEqual([-1, 2, 3, 4, -1]);
  });

  it("combine where both texts of a pair are cut", () => {
    const windows = tokenizer.encodeWindows("a b c", { pair: "x y z", maxLength: 7 });
    expect(windows.map(({ tokens }) => tokens.join(" "))).toEqual([
      "[CLS] a b [SEP] x y [SEP]",
      "[CLS] a b [SEP] z [SEP]",
      "[CLS] c [SEP] x y [SEP]",
      "[CLS] c [SEP] z [SEP]",
    ]);
  });

  it("are as long as the model takes, where nothing else is said", () => {
    const short = BertTokenizer.fromVocabulary(tokenizer.vocabulary.tokens, { maxLength: 4 });
    expect(short.encodeWindows("a b c")).toHaveLength(2);
    expect(tokenizer.encodeWindows("a b c")).toHaveLength(1);
  });

  it("must advance", () => {
    const windows = () => tokenizer.encodeWindows("a b c d e", { maxLength: 5, stride: 3 });
    expect(windows).toThrow(expect.objectContaining({ code: "TRUNCATION_IMPOSSIBLE" }));
  });

  it("need a stride that is a count", () => {
    const windows = () => tokenizer.encodeWindows("a b c d e", { maxLength: 5, stride: -1 });
    expect(windows).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});
