import { bertNormalizer, bertPreTokenizer } from "tokenizers";
import { describe, expect, it } from "vitest";
import { CharacterTable, type NormalizerOptions } from "./characters.ts";
import { normalizeText } from "./normalize.ts";
import { forEachWord } from "./pre-tokenize.ts";
import { CodePointSet } from "./unicode-tables.ts";

describe("CodePointSet", () => {
  it("holds the ends of its ranges and nothing beside them", () => {
    const set = new CodePointSet("21-2f a1 10000-10ffff");
    const members = [0x21, 0x2f, 0xa1, 0x10000, 0x10ffff];
    expect(members.filter((codePoint) => set.has(codePoint))).toEqual(members);
    expect([0, 0x20, 0x30, 0xa0, 0xa2, 0xffff].filter((codePoint) => set.has(codePoint))).toEqual([]);
  });
});

describe("every character of Unicode, beside the Rust library", () => {
  const CHUNK = 0x2000;
  const preTokenizer = bertPreTokenizer();
  const settings: Required<NormalizerOptions>[] = [
    { lowercase: true, stripAccents: true, handleChineseChars: true, cleanText: true },
    { lowercase: false, stripAccents: false, handleChineseChars: false, cleanText: false },
    { lowercase: true, stripAccents: false, handleChineseChars: true, cleanText: false },
  ];

  for (const options of settings) {
    const normalizer = bertNormalizer({ ...options, stripAccents: options.stripAccents ?? undefined });
    const table = CharacterTable.for(options);
    it(`is normalised and split alike: ${JSON.stringify(options)}`, () => {
      for (let first = 0; first < 0x110000; first += CHUNK) {
        if (first >= 0xd800 && first < 0xe000) continue; // not characters, and UTF-8 has no surrogates
        // U+0345 has the highest combining class of all, so that any other mark moves before it
        const characters = Array.from({ length: CHUNK }, (_, i) => `a${String.fromCodePoint(first + i)}\u0345`);
        const text = characters.filter((character) => !/\p{Surrogate}/u.test(character)).join(" ");
        const normalized = normalizer.normalizeString(text);
        expect(normalizeText(text, table).text === normalized, `normalising from U+${first.toString(16)}`).toBe(true);
        const words: string[] = [];
        forEachWord(text, options, (word) => words.push(word));
        const expected = preTokenizer.preTokenizeString(normalized).map(([word]) => word);
        expect(words.join("\n") === expected.join("\n"), `splitting from U+${first.toString(16)}`).toBe(true);
      }
    });

    it(`is normalised for good: ${JSON.stringify(options)}`, () => {
      for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
        const { text } = normalizeText(`a${String.fromCodePoint(codePoint)}`, table);
        if (normalizeText(text, table).text.replaceAll(" ", "") === text.replaceAll(" ", "")) continue;
        expect.fail(`U+${codePoint.toString(16)} changes twice`);
      }
    });
  }
});
