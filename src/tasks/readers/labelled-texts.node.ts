import type { Examples } from "../definitions/task.ts";
import type { TextReading } from "../definitions/text-reading.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { readTextRows } from "./text-rows.node.ts";

/** Reads texts with a label each. Throws the errors of `readTextRows`. */
export function readLabelledTexts(path: string, options: TextReading = {}): Promise<Examples<TextInput, string>> {
  const { labelColumn: goldColumn } = options;
  return readTextRows(path, { ...options, gold: "label", goldColumn, kind: "classification", parse: (label) => label });
}
