import { z } from "zod";
import { textReading } from "../definitions/text-reading.ts";
import { tokenClassification, type WordsOrText } from "../definitions/token-classification.ts";
import type { InputReader } from "../run/input-reader.ts";
import { readInputs } from "./inputs.node.ts";
import { isConllName, readUntaggedSentences } from "./tagged-sentences.node.ts";

const { textColumn, onEmpty } = textReading.shape;

const reading = z.object({
  textColumn,
  ...tokenClassification.reading.pick({ separator: true, tokenColumn: true }).shape,
  tagColumn: z.int().optional().describe("column of tags to repeat beside those predicted (default: none)"),
  onEmpty,
});

/** Texts to tag, or the words of a CoNLL file. */
export const tokenInputs = {
  reading,
  async *read(source, options, counts) {
    if (typeof source === "string" && isConllName(source)) {
      for await (const { words, tags: gold } of readUntaggedSentences(source, options)) {
        yield { input: words, shown: gold === undefined ? { words } : { words, gold } };
      }
      return;
    }
    const { textColumn, onEmpty } = options;
    for await (const { text } of readInputs(source, { textColumn, onEmpty }, counts)) {
      yield { input: text, shown: { text } };
    }
  },
} satisfies InputReader<WordsOrText, typeof reading>;
