import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CharacterTable, type NormalizerOptions } from "./characters.ts";
import { forEachWord, WordReader } from "./pre-tokenize.ts";

function wordsOf(text: string, options: NormalizerOptions = {}): string[] {
  const words: string[] = [];
  forEachWord(text, options, (word) => words.push(word));
  return words;
}

describe("forEachWord", () => {
  it.each<[string, NormalizerOptions, string[]]>([
    ["", {}, []],
    [" \n\t ", {}, []],
    ["Hello, wörld!", {}, ["hello", ",", "world", "!"]],
    ["Hello, wörld!", { lowercase: false }, ["Hello", ",", "wörld", "!"]],
    ["Hello, wörld!", { stripAccents: false }, ["hello", ",", "wörld", "!"]],
    ["don't e-mail", {}, ["don", "'", "t", "e", "-", "mail"]],
    ["x中国y", {}, ["x", "中", "国", "y"]],
    ["x中国y", { handleChineseChars: false }, ["x中国y"]],
    ["a\u0000b\u200bc", {}, ["abc"]],
    ["a\u0000b", { cleanText: false }, ["a\u0000b"]],
    ["a≠b", {}, ["a", "=", "b"]],
    ["\u0301 \u0301a", {}, ["a"]],
    ["ΣΑΣ", {}, ["σασ"]],
    ["a\ud800b", { cleanText: false }, ["a\ufffdb"]],
    ["각", {}, ["\u1100\u1161\u11a8"]],
  ])("splits %j with %j", (text, options, words) => {
    expect(wordsOf(text, options)).toEqual(words);
  });

  it("may be called while it calls", () => {
    const words: string[] = [];
    forEachWord("Öl Ähre", {}, (word) => forEachWord(`Ü${word}`, {}, (inner) => words.push(inner)));
    expect(words).toEqual(["uol", "uahre"]);
  });
});

describe("WordReader", () => {
  it("reads the words that forEachWord visits, however long", () => {
    const pieces = fc.constantFrom(..."aÉ한中! \u0301\u302e\u0000😀", "Long".repeat(30));
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const text = parts.join("");
        const reader = new WordReader(CharacterTable.for({}));
        const words: string[] = [];
        for (let at = 0; at < text.length; ) {
          at = reader.read(text, at, text.length);
          if (reader.length > 0) words.push(reader.word());
        }
        expect(words).toEqual(wordsOf(text));
      }),
    );
  });
});
