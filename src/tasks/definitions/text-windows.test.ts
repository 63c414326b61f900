import { describe, expect, test } from "vitest";
import { VOCABULARY } from "../../../test/tiny-model.ts";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { multiLabelClassification } from "./multi-label-classification.ts";
import { wasCut } from "./task-model.ts";
import { textClassification } from "./text-classification.ts";
import { meanLogits } from "./text-windows.ts";

const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);
const labels = ["a", "b"];

function contextOf(settings: { long?: "truncate" | "windows"; stride?: number }) {
  return { tokenizer, labels, maxLength: 8, settings: textClassification.settings.parse(settings) };
}

const long = { text: "a b c d e f g h i j k l" }; // 12 tokens, of which a window has 6

describe("a text longer than the model takes", () => {
  test("is cut, which counts as cut", () => {
    const encodings = textClassification.encode(long, contextOf({}));
    expect(encodings.map(({ tokens }) => tokens.slice(1, -1).join(""))).toEqual(["abcdef"]);
    expect(wasCut(textClassification, encodings)).toBe(true);
  });

  test("is read in windows, of which none counts as cut", () => {
    const encodings = textClassification.encode(long, contextOf({ long: "windows", stride: 2 }));
    expect(encodings.map(({ tokens }) => tokens.slice(1, -1).join(""))).toEqual(["abcdef", "efghij", "ijkl"]);
    expect(wasCut(textClassification, encodings)).toBe(false);
  });

  test("weighs as much as a short one, each window with the label of the text", () => {
    const context = contextOf({ long: "windows", stride: 2 });
    for (const [text, weights] of [[long, [1 / 3, 1 / 3, 1 / 3]] as const, [{ text: "a" }, [1]] as const]) {
      const example = { input: text, gold: "b", place: "here" };
      const features = textClassification.features(example, textClassification.encode(text, context), context);
      expect(features.map(({ weight }) => weight)).toEqual(weights);
      for (const { target } of features) expect(Array.from(target)).toEqual([1]);
      const { weights: shares } = textClassification.targets(features, features);
      expect(Array.from(shares.data).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    }
  });

  test("is judged by the mean of the logits", () => {
    const windows = [Float32Array.of(1, 4), Float32Array.of(3, -2)];
    expect(Array.from(meanLogits(windows))).toEqual([2, 1]);
    const [first] = textClassification.decode(long, [], windows);
    expect(first).toBeCloseTo(Math.E / (1 + Math.E), 6);
    const alone = multiLabelClassification.decode(long, [], windows);
    expect(alone[0]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    expect(alone[1]).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  });

  test.each([
    ["a text", { text: "a" }, 5, 6],
    ["a pair", { text: "a", pair: "b" }, 1, 2],
  ])("%s is refused where windows over a longer one would not advance", (_, short, most, tooMuch) => {
    expect(textClassification.encode(short, contextOf({ long: "windows", stride: most }))).toHaveLength(1);
    const windows = () => textClassification.encode(short, contextOf({ long: "windows", stride: tooMuch }));
    expect(windows).toThrow(expect.objectContaining({ code: "TRUNCATION_IMPOSSIBLE" }));
    expect(windows).toThrow(`a stride below ${tooMuch}, as a window surely holds ${tooMuch} tokens of each text`);
    expect(windows).toThrow(/got \d+\. Leave out the stride or lower it\.$/);
    expect(textClassification.encode(short, contextOf({ stride: tooMuch }))).toHaveLength(1);
  });

  test("is read in windows that share half of their room, 32 tokens at most, unless told", () => {
    const text = Array(200).fill("a").join(" ");
    for (const maxLength of [5, 7, 8, 64, 65, 128]) {
      const context = { ...contextOf({ long: "windows" }), maxLength };
      const room = maxLength - 2;
      const step = room - Math.min(32, room >> 1);
      expect(textClassification.encode({ text }, context)).toHaveLength(1 + Math.ceil((200 - room) / step));
      expect(textClassification.encode({ text, pair: "b" }, context).length).toBeGreaterThan(1);
    }
  });

  test("loses no token, whatever its length and the stride, and windows share as many tokens as was asked", () => {
    for (let length = 1; length <= 26; length++) {
      const letters = "abcdefghijklmnopqrstuvwxyz".slice(0, length);
      for (let stride = 0; stride < 6; stride++) {
        const context = contextOf({ long: "windows", stride });
        const encodings = textClassification.encode({ text: [...letters].join(" ") }, context);
        const windows = encodings.map(({ tokens }) => tokens.slice(1, -1).join(""));
        expect(
          windows[0] +
            windows
              .slice(1)
              .map((window) => window.slice(stride))
              .join(""),
        ).toBe(letters);
      }
    }
  });

  test("in a pair: every token of both texts is in a window with one of the other", () => {
    const pair = { ...long, pair: "m n o p q r s t" };
    const encodings = textClassification.encode(pair, contextOf({ long: "windows", stride: 1 }));
    const seen = new Set(encodings.flatMap(({ tokens }) => tokens));
    for (const letter of "abcdefghijklmnopqrst") expect(seen).toContain(letter);
    expect(wasCut(textClassification, encodings)).toBe(false);
  });
});
