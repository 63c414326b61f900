import { describe, expect, it } from "vitest";
import { formatVocabularyText, parseVocabularyText, Vocabulary } from "./vocabulary.ts";

const malformed = expect.objectContaining({ code: "VOCABULARY_MALFORMED" });

describe("Vocabulary", () => {
  const vocabulary = new Vocabulary(["[PAD]", "a", "__proto__", "##b"]);

  it("knows tokens by id and ids by token", () => {
    expect(vocabulary.size).toBe(4);
    expect(vocabulary.idOf("__proto__")).toBe(2);
    expect(vocabulary.idOf("b")).toBeUndefined();
    expect(vocabulary.tokenOf(3)).toBe("##b");
  });

  it.each([-1, 4, 0.5, Number.NaN])("has no token with the id %s", (id) => {
    expect(() => vocabulary.tokenOf(id)).toThrow(expect.objectContaining({ code: "ID_OUT_OF_RANGE" }));
  });

  it("is not empty, has no empty token and none twice", () => {
    expect(() => new Vocabulary([])).toThrow(malformed);
    expect(() => new Vocabulary(["a", ""])).toThrow(malformed);
    expect(() => new Vocabulary(["a", "b", "a"])).toThrow(/"a" has the ids 0 and 2/);
  });
});

describe("vocab.txt", () => {
  it("is a token a line, and the ends of lines do not matter", () => {
    const tokens = ["[PAD]", "a\u2028b", " c", "\u0085"];
    expect(parseVocabularyText("[PAD]\na\u2028b\n c\n\u0085\n")).toEqual(tokens);
    expect(parseVocabularyText("\ufeff[PAD]\r\na\u2028b\r\n c\r\n\u0085")).toEqual(tokens);
    expect(parseVocabularyText(formatVocabularyText(tokens))).toEqual(tokens);
  });

  it("keeps empty lines, so that they are found", () => {
    expect(parseVocabularyText("a\n\nb\n")).toEqual(["a", "", "b"]);
    expect(parseVocabularyText("")).toEqual([]);
  });

  it("cannot hold a line break", () => {
    expect(() => formatVocabularyText(["a", "b\nc"])).toThrow(malformed);
  });
});
