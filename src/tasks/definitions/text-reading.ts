import { z } from "zod";
import { GLUE_FORMATS } from "../../formats/glue.ts";

/** Columns of a table that hold texts. No default is filled in, so that it shows where a name was given in vain. */
export const textColumns = {
  format: z
    .enum(GLUE_FORMATS)
    .optional()
    .describe("a file of GLUE as it is, whose columns and labels are known (default: a table)"),
  textColumn: z.string().optional().describe('column of the text (default: "text")'),
  pairColumn: z.string().optional().describe("column of the second text, where texts are pairs"),
};

export const onEmpty = z
  .enum(["skip", "refuse"])
  .default("skip")
  .describe("a row without text or label: leave it out and count it, or stop");

/** Which columns of a table hold texts and labels, and what becomes of a row without them. */
export const textReading = z.object({
  ...textColumns,
  labelColumn: z.string().optional().describe('column of the label (default: "label")'),
  onEmpty,
});

export type TextReading = z.input<typeof textReading>;
