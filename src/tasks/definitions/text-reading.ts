import { z } from "zod";
import { GLUE_TASK_NAMES } from "../../formats/glue.ts";

/** Columns of a table that hold texts. */
export const textColumns = {
  format: z
    .enum(GLUE_TASK_NAMES.map((name) => `glue:${name}` as const))
    .optional()
    .describe("a file of GLUE as it is, whose columns and labels are known (default: a table)"),
  textColumn: z.string().default("text").describe("column of the text"),
  pairColumn: z.string().optional().describe("column of the second text, where texts are pairs"),
};

export const onEmpty = z
  .enum(["skip", "refuse"])
  .default("skip")
  .describe("a row without text or label: leave it out and count it, or stop");

/** Which columns of a table hold texts and labels, and what becomes of a row without them. */
export const textReading = z.object({
  ...textColumns,
  labelColumn: z.string().default("label").describe("column of the label"),
  onEmpty,
});

export type TextReading = z.input<typeof textReading>;
