import { expect, test } from "vitest";
import { REMOVED, WHITE_SPACE } from "../tokenizer/unicode-tables.ts";
import { hasText } from "./has-text.ts";

test("no text is what the tokenizer's clean-up leaves nothing of", () => {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (REMOVED.has(codePoint) || WHITE_SPACE.has(codePoint)) {
      const character = String.fromCodePoint(codePoint);
      if (hasText(character) || !hasText(`${character}.`)) throw new Error(`U+${codePoint.toString(16)}`);
    }
  }
  expect(["", " \u00a0", "\u200b\u200d\ufeff", "\u0000", "\ud83d"].filter(hasText)).toEqual([]);
  expect(["a", ".", "日", "😀", "\u0301"].filter((text) => !hasText(text))).toEqual([]);
});
