import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { textReading } from "../definitions/text-reading.ts";
import { tokenClassification, type WordsOrText } from "../definitions/token-classification.ts";
import type { InputReader, InputSource } from "../run/input-reader.ts";
import { peekFormat, readInputs } from "./inputs.node.ts";
import { isConllName, readUntaggedSentences } from "./tagged-sentences.node.ts";

const { textColumn, onEmpty } = textReading.shape;

// Without defaults, so that it shows what was given: a file is CoNLL where its columns are spoken of.
const reading = z.object({
  textColumn,
  separator: tokenClassification.reading.shape.separator,
  tokenColumn: z
    .int()
    .optional()
    .describe("column of the token in a CoNLL file, from 0; from the end if negative (default: 0)"),
  tagColumn: z
    .int()
    .optional()
    .describe("column of tags in a CoNLL file, to repeat beside those predicted (default: none)"),
  onEmpty,
});

/** Texts to tag, or the words of a CoNLL file. */
export const tokenInputs = {
  reading,
  async *read(source, { textColumn, onEmpty, ...columns }, counts) {
    const path = await conllPath(source, textColumn, columns);
    if (path === undefined) {
      for await (const { text } of readInputs(source, { textColumn, onEmpty }, counts)) {
        yield { input: text, shown: { text } };
      }
      return;
    }
    for await (const { words, tags: gold } of readUntaggedSentences(path, columns)) {
      yield { input: words, shown: gold === undefined ? { words } : { words, gold } };
    }
  },
} satisfies InputReader<WordsOrText, typeof reading>;

/**
 * The source if it is a CoNLL file: by the columns that were named, else by its name, else by how it begins. Throws
 * OPTION_INVALID for a column that the source does not have.
 */
async function conllPath(
  source: InputSource,
  textColumn: string | undefined,
  { separator, tokenColumn, tagColumn }: Omit<z.infer<typeof reading>, "textColumn" | "onEmpty">,
): Promise<string | undefined> {
  const named = { "--separator": separator, "--token-column": tokenColumn, "--tag-column": tagColumn };
  const [option] = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (typeof source !== "string") {
    if (option === undefined) return undefined;
    throw new ClozeError("OPTION_INVALID", {
      problem: `${option} needs a file to read`,
      expected: "--input with a CoNLL file",
    });
  }
  const isConll = option !== undefined || isConllName(source);
  if (isConll && textColumn !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `--text-column is about tables, but ${option ?? `the name ${source}`} tells of a CoNLL file`,
      cure: `Leave out --text-column${option === undefined ? "" : `, or ${option}`}.`,
    });
  }
  if (isConll) return source;
  const looksSo = textColumn === undefined && (await peekFormat(source))?.task === tokenClassification.name;
  return looksSo ? source : undefined;
}
