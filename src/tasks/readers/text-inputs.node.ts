import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { textReading } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import type { SentencePair, TextInput } from "../run/text-or-pair.ts";
import { readInputs } from "./inputs.node.ts";

const { format, textColumn, pairColumn, onEmpty } = textReading.shape;

const textOrPair = z.object({
  format,
  textColumn,
  pairColumn,
  pairs: z.boolean().default(false).describe("the texts of the command line are pairs, two by two"),
  onEmpty,
});

/** Texts, or pairs of texts. */
export const textInputs = {
  reading: textOrPair,
  async *read(source, { pairs, ...reading }, counts) {
    if (pairs && typeof source !== "object") {
      throw new ClozeError("OPTION_INVALID", {
        problem: "--pairs is about the texts of the command line",
        cure: "Name the column of the second text with --pair-column.",
      });
    }
    for await (const input of readInputs(source, { ...reading, inPairs: pairs }, counts)) yield { input, shown: input };
  },
} satisfies InputReader<TextInput, typeof textOrPair>;

const singleText = z.object({ textColumn, onEmpty });

/** Single texts. */
export const singleTextInputs = {
  reading: singleText,
  async *read(source, reading, counts) {
    for await (const { text } of readInputs(source, reading, counts)) yield { input: text, shown: { text } };
  },
} satisfies InputReader<string, typeof singleText>;

const sentencePair = z.object({
  textColumn,
  pairColumn: z.string().default("text_pair").describe("column of the second text"),
  onEmpty,
});

/** Pairs of texts; those of the command line come two by two. */
export const pairInputs = {
  reading: sentencePair,
  async *read(source, { pairColumn, ...reading }, counts) {
    if (source === undefined) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "this task is about pairs of texts",
        expected: "two texts, or --input with a table",
      });
    }
    const columns = typeof source === "string" ? { pairColumn } : {};
    for await (const shown of readInputs(source, { ...reading, ...columns, inPairs: true }, counts)) {
      yield { input: { text: shown.text, text_pair: shown.pair ?? "" }, shown };
    }
  },
} satisfies InputReader<SentencePair, typeof sentencePair>;
