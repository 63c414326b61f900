import { placeOf, readTable } from "../formats/table.node.ts";
import { malformedRow } from "../formats/table-row.ts";
import type { ChoiceReading, Choices } from "./multiple-choice.ts";
import type { Example, Examples } from "./task.ts";

/**
 * Reads contexts with choices from a table, as SWAG's. A choice without text is none, so that rows may have different
 * numbers of them; rows without context or with a single choice are left out and counted. Throws the errors of `readTable`,
 * and ROW_MALFORMED where the label is the number of no choice.
 */
export async function readChoices(
  path: string,
  { contextColumn, startColumn, choiceColumns, labelColumn }: ChoiceReading,
): Promise<Examples<Choices, number>> {
  const columns = [contextColumn, labelColumn, ...choiceColumns, ...(startColumn === undefined ? [] : [startColumn])];
  const examples: Example<Choices, number>[] = [];
  let skipped = 0;
  for await (const row of readTable(path, { columns })) {
    const [context, label, ...rest] = row.values;
    const place = placeOf(path, row);
    const given = rest.slice(0, choiceColumns.length);
    const choices = given.filter((choice) => choice.trim() !== "");
    if (context!.trim() === "" || choices.length < 2) {
      skipped++;
      continue;
    }
    const right = given[Number(label)];
    if (label!.trim() === "" || right === undefined || right.trim() === "") {
      throw malformedRow(place, `the number of a choice, from 0, in "${labelColumn}"`, JSON.stringify(label));
    }
    const start = rest[choiceColumns.length];
    const gold = given.slice(0, Number(label)).filter((choice) => choice.trim() !== "").length;
    examples.push({ input: { context: context!, start, choices }, gold, place });
  }
  return { file: path, examples, skipped: { "rows without a context and two choices": skipped } };
}
