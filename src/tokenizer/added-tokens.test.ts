import fc from "fast-check";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import type { TokenizerOptions } from "./spec.ts";
import { BertTokenizer } from "./tokenizer.ts";
import { formatTokenizerJson } from "./tokenizer-json.ts";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz[]!.中한ᄀ가"];
const VOCABULARY = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  ...LETTERS,
  ...LETTERS.map((letter) => `##${letter}`),
];

const OPTIONS: TokenizerOptions = {
  addedTokens: [
    { content: "[E1]", special: true },
    { content: "New York" },
    { content: "new" },
    { content: "ÉTÉ", singleWord: true },
    { content: "<L>", special: true, stripLeft: true },
    { content: "<R>", special: true, stripRight: true, singleWord: true },
    { content: "both", stripLeft: true, stripRight: true },
    { content: "中文" },
    { content: "가" },
    { content: "RAW", normalized: false },
    { content: "RAWER", normalized: false },
    { content: "a.b*(c", normalized: false },
  ],
};

const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY, OPTIONS);

describe("added tokens", () => {
  it("are numbered after the vocabulary, in order", () => {
    expect(tokenizer.vocabulary.idOf("[E1]")).toBe(VOCABULARY.length);
    expect(tokenizer.vocabulary.tokenOf(VOCABULARY.length + 1)).toBe("New York");
    expect(tokenizer.vocabulary.size).toBe(VOCABULARY.length + 11);
  });

  it("keep the ids that the vocabulary has for them", () => {
    const small = BertTokenizer.fromVocabulary([...VOCABULARY, "[E1]"], { addedTokens: [{ content: "[E1]" }] });
    expect(small.vocabulary.size).toBe(VOCABULARY.length + 1);
    expect(small.encode("x[E1]y").tokens).toEqual(["[CLS]", "x", "[E1]", "y", "[SEP]"]);
  });

  it.each([
    ["a [MASK]!", "a [MASK] !", "special tokens are found as they are"],
    ["a [mask]", "a [ m ##a ##s ##k ]", "but not in another case"],
    ["NEW YORK", "New York", "others are found in the normalised text"],
    ["xrawRAWERx", "x ##r ##a ##w RAWER x", "and the longest is taken"],
    ["été étés", "ÉTÉ e ##t ##e ##s", "single words do not adjoin letters"],
    ["a.b*(c", "a.b*(c", "nothing in them is a pattern"],
  ])("%s", (text, tokens) => {
    expect(tokenizer.encode(text, { addSpecialTokens: false }).tokens.join(" ")).toBe(tokens);
  });

  it("take in the white space that they are told to", () => {
    const { offsets } = tokenizer.encode("a \t<L> <R> \nb", { addSpecialTokens: false });
    expect([...offsets]).toEqual([0, 1, 1, 6, 7, 12, 12, 13]);
  });

  it("are what the Rust library finds", async () => {
    const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));
    const pieces = [
      ..." xé\u0301\u0085가각中文!\u302e\u0316",
      "  ",
      "\t",
      ...OPTIONS.addedTokens!.map(({ content }) => content),
    ];
    const lower = pieces.map((piece) => piece.toLowerCase());
    const anyText = fc.array(fc.constantFrom(...pieces, ...lower, "[MASK]"), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(anyText, async (parts) => {
        const text = parts.join(""); // of the basic plane: code points are units
        const encoding = tokenizer.encode(text);
        const expected = await rust.encode(text);
        expect([...encoding.ids]).toEqual(expected.getIds());
        expect([...encoding.offsets]).toEqual(expected.getOffsets().flat());
        expect([...encoding.wordIds]).toEqual(expected.getWordIds().map((word) => word ?? -1));
      }),
      { numRuns: 3000 },
    );
  });

  it("must not be empty", () => {
    const options = { addedTokens: [{ content: "" }] };
    expect(() => BertTokenizer.fromVocabulary(VOCABULARY, options)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });
});
