import { z } from "zod";

/** Which columns of a table hold texts and labels, and what becomes of a row without them. */
export const textReading = z.object({
  textColumn: z.string().default("text").describe("column of the text"),
  pairColumn: z.string().optional().describe("column of the second text, where texts are pairs"),
  labelColumn: z.string().default("label").describe("column of the label"),
  onEmpty: z
    .enum(["skip", "refuse"])
    .default("skip")
    .describe("a row without text or label: leave it out and count it, or stop"),
});

export type TextReading = z.input<typeof textReading>;
