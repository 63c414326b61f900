import { z } from "zod";
import { parseJson } from "../../formats/json.ts";
import { malformedRow } from "../../formats/table-row.ts";
import type { MultiLabelReading } from "../definitions/multi-label-classification.ts";
import type { Examples } from "../definitions/task.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { readTextRows } from "./text-rows.node.ts";

const List = z.array(z.union([z.string(), z.number()]));

/**
 * Reads texts with any number of labels each: a list where the format has lists, else names with a separator between them;
 * an empty cell means that none applies. Throws the errors of `readTextRows`, ROW_MALFORMED for a list of other things.
 */
export function readLabelSets(path: string, options: MultiLabelReading): Promise<Examples<TextInput, string[]>> {
  const { labelColumn, labelSeparator } = options;
  const names = (labels: readonly string[]) => labels.map((label) => label.trim()).filter((label) => label !== "");
  const parse = (cell: string, place: string) => {
    if (!cell.startsWith("[")) return names(cell.split(labelSeparator));
    const list = List.safeParse(parseJson(cell, () => undefined));
    if (list.success) return names(list.data.map(String));
    throw malformedRow(place, `a list of names in "${labelColumn}"`, cell.slice(0, 80));
  };
  return readTextRows(path, {
    ...options,
    gold: "label",
    goldColumn: labelColumn,
    lists: true,
    emptyGold: true,
    parse,
  });
}
