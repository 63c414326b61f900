import { describe, expect, it } from "vitest";
import { TokenBuffer } from "./token-buffer.ts";
import { BertTokenizer } from "./tokenizer.ts";

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const VOCABULARY = [
  ...SPECIAL,
  "un",
  "##aff",
  "##able",
  "run",
  "##ning",
  "cafe",
  "Café",
  "中",
  "'",
  "s",
  "a",
  "##a",
  "ᄀ",
  "##ᅡ",
];

const uncased = BertTokenizer.fromVocabulary(VOCABULARY);
const cased = BertTokenizer.fromVocabulary(VOCABULARY, { lowercase: false });

const tokens = (text: string, tokenizer = uncased) =>
  tokenizer.encode(text, { addSpecialTokens: false }).tokens.join(" ");

describe("BertTokenizer", () => {
  it("cuts words into the longest pieces", () => {
    expect(tokens("unaffable running")).toBe("un ##aff ##able run ##ning");
    expect(tokens("unaffably")).toBe("[UNK]");
  });

  it("drops case and accents, or keeps both", () => {
    expect(tokens("CAFÉ Cafe\u0301")).toBe("cafe cafe");
    expect(tokens("Café cafe CAFÉ", cased)).toBe("Café cafe [UNK]");
  });

  it("takes tokens in place of a text, as many of them as there are to be", () => {
    const first = new TokenBuffer();
    uncased.append("unaffable running", first);
    expect(uncased.encode(first, { pair: "run" })).toEqual(uncased.encode("unaffable running", { pair: "run" }));
    first.length = 2;
    expect(uncased.encode(first, { pair: "run" }).tokens.join(" ")).toBe("[CLS] un ##aff [SEP] run [SEP]");
    expect(uncased.encodeWindows("run", { pair: first }).map(({ tokens }) => tokens.join(" "))).toEqual([
      "[CLS] run [SEP] un ##aff [SEP]",
    ]);
  });

  it("sets ideographs and marks of punctuation apart", () => {
    expect(tokens("run中's")).toBe("run 中 ' s");
  });

  it("drops control characters", () => {
    expect(tokens("r\u0000u\u200bn\ufffd")).toBe("run");
  });

  it("takes no word of more than 100 characters", () => {
    expect(tokens("a".repeat(100))).toBe(`a${" ##a".repeat(99)}`);
    expect(tokens("a".repeat(101))).toBe("[UNK]");
    const short = BertTokenizer.fromVocabulary([...VOCABULARY, "😀", "##😀"], { maxWordLength: 2 });
    expect(tokens("😀😀 😀😀😀 s un", short)).toBe("😀 ##😀 [UNK] s un");
    expect(tokens("run", short)).toBe("[UNK]"); // though the vocabulary has it
  });

  it("says where tokens come from, in UTF-16 units", () => {
    const text = "😀 Cafe\u0301s, \u200bUN\u00adaffable 가";
    const { ids, offsets } = uncased.encode(text, { addSpecialTokens: false });
    const sources = Array.from(ids, (_, row) => text.slice(offsets[2 * row], offsets[2 * row + 1]));
    expect(sources).toEqual(["😀", "Cafe\u0301s", ",", "UN", "affable".slice(0, 3), "able", "가", "가"]);
  });

  it("frames a text and a pair", () => {
    const pair = uncased.encode("run", { pair: "un unaff" });
    expect(pair.length).toBe(7);
    expect(pair.tokens).toEqual(["[CLS]", "run", "[SEP]", "un", "un", "##aff", "[SEP]"]);
    expect([...pair.typeIds]).toEqual([0, 0, 0, 1, 1, 1, 1]);
    expect([...pair.sequenceIds]).toEqual([-1, 0, -1, 1, 1, 1, -1]);
    expect([...pair.specialTokensMask]).toEqual([1, 0, 1, 0, 0, 0, 1]);
    expect([...pair.wordIds]).toEqual([-1, 0, -1, 0, 1, 1, -1]);
    expect([...pair.offsets]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 3, 5, 5, 8, 0, 0]);
  });

  it("leaves the frame out where it is told to", () => {
    const pair = uncased.encode("run", { pair: "unaff", addSpecialTokens: false });
    expect(pair.tokens).toEqual(["run", "un", "##aff"]);
    expect([...pair.typeIds]).toEqual([0, 1, 1]);
    expect([...pair.sequenceIds]).toEqual([0, 1, 1]);
    expect([...pair.specialTokensMask]).toEqual([0, 0, 0]);
    expect([...uncased.encode("run", { addSpecialTokens: false }).typeIds]).toEqual([0]);
  });

  it("takes a text that is nothing but special tokens, and an empty one", () => {
    expect(uncased.encode("[MASK][MASK]").tokens).toEqual(["[CLS]", "[MASK]", "[MASK]", "[SEP]"]);
    expect(uncased.encode("").tokens).toEqual(["[CLS]", "[SEP]"]);
    expect(uncased.encode(" \t\u0000", { pair: "" }).tokens).toEqual(["[CLS]", "[SEP]", "[SEP]"]);
    expect(uncased.ids("")).toEqual(new Int32Array(0));
  });

  it("takes words that are known beforehand", () => {
    const encoding = uncased.encode(["unaffable", "", "run's"], { pair: ["cafe"] });
    expect(encoding.tokens.join(" ")).toBe("[CLS] un ##aff ##able run ' s [SEP] cafe [SEP]");
    expect([...encoding.wordIds]).toEqual([-1, 0, 0, 0, 2, 2, 2, -1, 0, -1]);
    expect([...encoding.offsets].slice(2, 14)).toEqual([0, 2, 2, 5, 5, 9, 0, 3, 3, 4, 4, 5]);
  });

  it("appends to a buffer of any number of texts", () => {
    const buffer = new TokenBuffer();
    for (let i = 0; i < 1000; i++) uncased.append("run unaff", buffer);
    expect(buffer.length).toBe(3000);
    expect([...buffer.ids.subarray(2997, 3000)]).toEqual([...uncased.ids("run unaff")]);
    expect(buffer.wordIds[2999]).toBe(1999);
  });

  it("keeps its encodings apart", () => {
    const first = uncased.encode("run");
    uncased.encode("cafe");
    expect(first.tokens).toEqual(["[CLS]", "run", "[SEP]"]);
  });

  it("knows the ids of its special tokens", () => {
    expect(uncased.specialIds).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    const names = { pad: "<pad>", unk: "<unk>", cls: "<s>", sep: "</s>", mask: "<mask>" };
    const other = BertTokenizer.fromVocabulary([...Object.values(names), "a"], { specialTokens: names });
    expect(other.encode("a<mask>").tokens).toEqual(["<s>", "a", "<mask>", "</s>"]);
  });

  it("needs its special tokens", () => {
    const make = () => BertTokenizer.fromVocabulary(SPECIAL.slice(1));
    expect(make).toThrow(expect.objectContaining({ code: "SPECIAL_TOKEN_MISSING" }));
    expect(make).toThrow(/lacks \[PAD\]/);
  });

  it.each([0, -1, 1.5])("refuses the maxWordLength and the maxLength %s", (value) => {
    const invalid = expect.objectContaining({ code: "OPTION_INVALID" });
    expect(() => BertTokenizer.fromVocabulary(VOCABULARY, { maxWordLength: value })).toThrow(invalid);
    expect(() => BertTokenizer.fromVocabulary(VOCABULARY, { maxLength: value })).toThrow(invalid);
  });
});
