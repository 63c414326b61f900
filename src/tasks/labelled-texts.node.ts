import { ClozeError } from "../base/errors.ts";
import { placeOf, readTable } from "../formats/table.node.ts";
import type { Example, Examples } from "./task.ts";
import type { TextInput } from "./text-or-pair.ts";
import type { TextReading } from "./text-reading.ts";

/**
 * Reads texts with labels from a table file. Throws the errors of `readTable`, TEXT_EMPTY where a row has no text or label
 * and `onEmpty` is `refuse`, or where no row has.
 */
export async function readLabelledTexts(path: string, options: TextReading = {}): Promise<Examples<TextInput, string>> {
  const { textColumn = "text", pairColumn, labelColumn = "label", onEmpty = "skip" } = options;
  const columns = pairColumn === undefined ? [textColumn, labelColumn] : [textColumn, labelColumn, pairColumn];
  const examples: Example<TextInput, string>[] = [];
  let skipped = 0;
  for await (const row of readTable(path, { columns })) {
    const [text, label, pair] = row.values;
    const place = placeOf(path, row);
    const empty = columns.filter((_, i) => row.values[i].trim() === "");
    if (empty.length === 0) {
      examples.push({ input: { text: text!, pair }, gold: label!, place });
    } else if (onEmpty === "skip") {
      skipped++;
    } else {
      throw new ClozeError("TEXT_EMPTY", {
        problem: `${place} has nothing in ${empty.map((name) => `"${name}"`).join(" and ")}`,
        cure: "Fill it, delete the row, or let such rows be skipped with --on-empty skip.",
      });
    }
  }
  if (examples.length === 0) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: `${path} has no row with text and label`,
      received: `${skipped} empty rows`,
    });
  }
  return { file: path, examples, skipped: { "rows without text or label": skipped } };
}
