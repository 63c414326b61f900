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

/** All of planes 0, 1 and 14, which are full of exceptions, and every 64th character of the others, save surrogates. */
const CODE_POINTS = Array.from({ length: 0x110000 }, (_, codePoint) => codePoint).filter(
  (codePoint) =>
    (codePoint < 0x20000 || codePoint >> 12 === 0xe0 || codePoint % 64 === 0) && codePoint >> 11 !== 0xd800 >> 11,
);

describe("characters beside the Rust library", () => {
  const CHUNK = 0x4000;
  const preTokenizer = bertPreTokenizer();
  const settings: Required<NormalizerOptions>[] = [
    { lowercase: true, stripAccents: true, handleChineseChars: true, cleanText: true },
    { lowercase: true, stripAccents: false, handleChineseChars: false, cleanText: false },
  ];

  for (const options of settings) {
    const normalizer = bertNormalizer({ ...options, stripAccents: options.stripAccents ?? undefined });
    const table = CharacterTable.for(options);
    it(`is normalised and split alike: ${JSON.stringify(options)}`, () => {
      for (let at = 0; at < CODE_POINTS.length; at += CHUNK) {
        // U+0345 has the highest combining class of all, so that any other mark moves before it
        const characters = CODE_POINTS.slice(at, at + CHUNK).map((codePoint) => String.fromCodePoint(codePoint));
        const text = characters.map((character) => `\u0345${character}`).join(" ");
        const normalized = normalizer.normalizeString(text);
        expect(
          normalizeText(text, table).text === normalized,
          `normalising from U+${CODE_POINTS[at].toString(16)}`,
        ).toBe(true);
        const words: string[] = [];
        forEachWord(text, options, (word) => words.push(word));
        const expected = preTokenizer.preTokenizeString(normalized).map(([word]) => word);
        expect(words.join(" ") === expected.join(" "), `splitting from U+${CODE_POINTS[at].toString(16)}`).toBe(true);
      }
    });

    it(`is normalised for good: ${JSON.stringify(options)}`, () => {
      const unstable: number[] = [];
      for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
        const becomes = [...table.of(codePoint).text];
        if (becomes.some((part) => table.of(part.codePointAt(0)!).text !== part)) unstable.push(codePoint);
      }
      expect(unstable).toEqual([]);
    });
  }
});
