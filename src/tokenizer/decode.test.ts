import fc from "fast-check";
import { Tokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { BertTokenizer } from "./tokenizer.ts";
import { formatTokenizerJson } from "./tokenizer-json.ts";

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const WORDS = [
  "the",
  "fox",
  "don",
  "is",
  "n",
  "'",
  "t",
  "n't",
  "'m",
  "'s",
  "'ve",
  "'re",
  ".",
  "?",
  "!",
  ",",
  "-",
  "##",
];
const VOCABULARY = [...SPECIAL, ...WORDS, "##y", "##es", "##.", "####", "中", " do not"];
const OPTIONS = { addedTokens: [{ content: "a . b" }, { content: "[E1]", special: true }] };

const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY, OPTIONS);
const idsOf = (tokens: string) => tokens.split(" ").map((token) => tokenizer.vocabulary.idOf(token)!);

describe("decode", () => {
  it.each([
    ["joins pieces and drops blanks before marks", "the fox ##es , the fox ##y !", "the foxes, the foxy!"],
    ["joins contractions", "the fox 's don n't", "the fox's donn't"],
    ["leaves the first piece as it is", "##y fox", "##y fox"],
    ["keeps special tokens", "[CLS] fox [MASK] . [SEP]", "[CLS] fox [MASK]. [SEP]"],
  ])("%s", (_, tokens, text) => {
    expect(tokenizer.decode(idsOf(tokens))).toBe(text);
  });

  it("skips special tokens where it is asked to", () => {
    const ids = Int32Array.from(idsOf("[CLS] fox [E1] ##y [SEP] [PAD]"));
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe("foxy");
  });

  it("leaves the blanks where it is told to", () => {
    const plain = BertTokenizer.fromVocabulary(VOCABULARY, { cleanUpSpaces: false });
    expect(plain.decode(idsOf("the fox ##y !"))).toBe("the foxy !");
  });

  it("is as in Rust for any ids", async () => {
    const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));
    const anyIds = fc.array(fc.nat(tokenizer.vocabulary.size - 1), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(anyIds, fc.boolean(), async (ids, skipSpecialTokens) => {
        expect(tokenizer.decode(ids, { skipSpecialTokens })).toBe(await rust.decode(ids, skipSpecialTokens));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([-1, 1000, 1.5])("refuses the id %s", (id) => {
    expect(() => tokenizer.decode([id])).toThrow(expect.objectContaining({ code: "ID_OUT_OF_RANGE" }));
  });
});
