import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { textReading } from "../definitions/text-reading.ts";
import { tokenClassification, type WordsOrText } from "../definitions/token-classification.ts";
import type { InputReader, InputSource } from "../run/input-reader.ts";
import { openInputs, readInputs, readOpenInputs } from "./inputs.node.ts";
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

/**
 * Texts to tag, or the words of a CoNLL file: one whose columns were named, or whose name says so, or that begins as such
 * files do, be it a file or what comes through a pipe or standard input. Throws OPTION_INVALID for a column that the source
 * does not have, and the errors of the readers.
 */
export const tokenInputs = {
  reading,
  async *read(source, { textColumn, onEmpty, ...columns }, counts) {
    const isTold = tellsOfConll(source, textColumn, columns);
    const file = typeof source === "object" || textColumn !== undefined ? undefined : await openInputs(source);
    if (file !== undefined && (isTold || file.other?.task === tokenClassification.name)) {
      for await (const { words, tags: gold } of readUntaggedSentences(file, columns, counts)) {
        yield { input: words, shown: gold === undefined ? { words } : { words, gold } };
      }
      return;
    }
    const texts =
      file === undefined
        ? readInputs(source, { textColumn, onEmpty }, counts)
        : readOpenInputs(file, { onEmpty }, counts);
    for await (const { text } of texts) yield { input: text, shown: { text } };
  },
} satisfies InputReader<WordsOrText, typeof reading>;

/**
 * Whether options or name say that a source is a CoNLL file. Throws OPTION_INVALID for a column that the source does not have.
 */
function tellsOfConll(
  source: InputSource,
  textColumn: string | undefined,
  { separator, tokenColumn, tagColumn }: Omit<z.infer<typeof reading>, "textColumn" | "onEmpty">,
): boolean {
  const named = { "--separator": separator, "--token-column": tokenColumn, "--tag-column": tagColumn };
  const [option] = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (typeof source === "object" && option !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `${option} needs a file to read`,
      expected: "--input with a CoNLL file, or one as standard input",
    });
  }
  const isTold = option !== undefined || (typeof source === "string" && isConllName(source));
  if (isTold && textColumn !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `--text-column is about tables, but ${option ?? `the name ${source}`} tells of a CoNLL file`,
      cure: `Leave out --text-column${option === undefined ? "" : `, or ${option}`}.`,
    });
  }
  return isTold;
}
