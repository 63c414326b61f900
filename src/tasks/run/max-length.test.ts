import { expect, test } from "vitest";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { maxLengthOf } from "./max-length.ts";

test.each([
  ["the tokenizer's length", 64, 128, 64],
  ["no more than there are positions", 512, 128, 128],
  ["all positions where the tokenizer has no limit", Number.POSITIVE_INFINITY, 128, 128],
])("a model takes %s", (_, maxLength, maxPositions, expected) => {
  const { spec } = BertTokenizer.fromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]);
  const tokenizer = new BertTokenizer({ ...spec, maxLength });
  expect(maxLengthOf({ tokenizer, config: { maxPositions } })).toBe(expected);
});
