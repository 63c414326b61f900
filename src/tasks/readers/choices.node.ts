import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";
import { quote } from "../../base/quote.ts";
import { placeOf, readTable, type TableRow } from "../../formats/table.node.ts";
import { malformedRow } from "../../formats/table-row.ts";
import type { ChoiceReading, Choices } from "../definitions/multiple-choice.ts";
import type { Example, Examples } from "../definitions/task.ts";
import type { SkipCounts } from "../run/input-counts.ts";
import { emptyRow, examplesOf, listOfTexts, UNUSABLE, withNotes } from "./text-rows.node.ts";

/**
 * Reads contexts with choices from a table, as SWAG's, or with a list of choices, as HellaSwag's. A choice without text is
 * none, so that rows may have different numbers of them; rows without context or label or with a single choice are left out and
 * counted. Throws the errors of `readTable`, ROW_MALFORMED where the label is the number of no choice, and TEXT_EMPTY where no row remains.
 */
export async function readChoices(path: string, reading: ChoiceReading): Promise<Examples<Choices, number>> {
  const { labelColumn } = reading;
  const examples: Example<Choices, number>[] = [];
  const left: string[] = [];
  const fewer: { place: string }[] = [];
  const unlabelled: string[] = [];
  for await (const { input, cells, label, place } of readRows(path, reading, [labelColumn])) {
    if (input === undefined) {
      left.push(place);
      continue;
    }
    if (!hasText(label)) {
      unlabelled.push(place);
      continue;
    }
    const right = cells[Number(label)];
    if (right === undefined || !hasText(right)) {
      const expected = `the number of a choice, from 0 to ${cells.length - 1}, in "${labelColumn}"`;
      throw malformedRow(place, expected, `${quote(label)}${right === undefined ? "" : ", a choice that is empty"}`);
    }
    const gold = cells.slice(0, Number(label)).filter(hasText).length;
    examples.push({ input, gold, place });
    if (input.choices.length < cells.length) fewer.push({ place });
  }
  const told = examplesOf(path, examples, {
    [INCOMPLETE]: left,
    ...(unlabelled.length > 0 && { [UNUSABLE.unlabelled]: unlabelled }),
  });
  return withNotes(told, { [FEWER]: fewer });
}

const INCOMPLETE = "without a context and two choices";

/** They are read without it: rows may have different numbers of choices. */
const FEWER = "with an empty choice";

/**
 * The same without labels, to predict for, as they come, of a table or of one context and its choices as they are. What is
 * left out is counted, or refused with TEXT_EMPTY.
 */
export async function* readUnlabelledChoices(
  source: string | readonly string[],
  { onEmpty = "skip", ...reading }: Omit<ChoiceReading, "labelColumn"> & { readonly onEmpty?: "refuse" | "skip" },
  counts: SkipCounts,
): AsyncGenerator<Choices> {
  const rows = typeof source === "string" ? readRows(source, reading) : [givenRow(source)];
  for await (const { input, cells, place } of rows) {
    if (input !== undefined) {
      if (input.choices.length < cells.length) counts.note(FEWER, place);
      yield input;
    } else if (onEmpty === "skip") counts.skip(INCOMPLETE, place);
    else throw emptyRow(`${place} has no context or fewer than two choices`);
  }
}

interface ChoiceRow {
  /** Undefined without a context and two choices. */
  readonly input: Choices | undefined;
  /** The choices as the row has them, of which some may be empty. */
  readonly cells: readonly string[];
  /** Empty where it was not asked for. */
  readonly label: string;
  readonly place: string;
}

function givenRow([context, ...choices]: readonly string[]): Omit<ChoiceRow, "label"> {
  return { input: choicesOf({ context, choices }), cells: choices, place: "text 1" };
}

/** What there is to choose from. Undefined without a context and two choices. */
function choicesOf({ choices: cells, ...beginning }: Choices): Choices | undefined {
  const choices = cells.filter(hasText);
  return hasText(beginning.context) && choices.length > 1 ? { ...beginning, choices } : undefined;
}

async function* readRows(
  path: string,
  reading: Omit<ChoiceReading, "labelColumn">,
  labelColumns: readonly string[] = [],
): AsyncGenerator<ChoiceRow> {
  const { choicesColumn } = reading;
  const choiceColumns = choicesColumn === undefined ? reading.choiceColumns : [choicesColumn];
  const lists = choicesColumn === undefined ? [] : [choicesColumn];
  const { contextColumn, startColumn } = contextColumns(reading);
  const startColumns = startColumn === undefined ? [] : [startColumn];
  const columns = [contextColumn, ...choiceColumns, ...startColumns, ...labelColumns];
  for await (const row of withCure(readTable(path, { columns, lists }), reading)) {
    const [context, ...rest] = row.values;
    const place = placeOf(path, row);
    const cells =
      choicesColumn === undefined ? rest.slice(0, choiceColumns.length) : listOfTexts(rest[0], place, choicesColumn);
    const start = startColumn === undefined ? undefined : rest[choiceColumns.length];
    const label = labelColumns.length > 0 ? row.values[columns.length - 1] : "";
    yield { input: choicesOf({ context, start, choices: cells }), cells, label, place };
  }
}

/** The same rows; where SWAG's columns were expected and one is missing, the error tells how to name others. */
async function* withCure(
  rows: AsyncIterable<TableRow>,
  { contextColumn }: Pick<ChoiceReading, "contextColumn">,
): AsyncGenerator<TableRow> {
  try {
    yield* rows;
  } catch (error) {
    if (contextColumn !== undefined || !(error instanceof ClozeError) || error.code !== "COLUMN_MISSING") throw error;
    const { code, problem, expected, received, cause } = error;
    const cure = "Name the context with --context-column; choices then have no start unless --start-column names it.";
    throw new ClozeError(code, { problem, expected, received, cause, cure });
  }
}

/** SWAG's columns, unless the context's is named: a model that was trained with its starts is then measured with them. */
function contextColumns({ contextColumn, startColumn }: Pick<ChoiceReading, "contextColumn" | "startColumn">) {
  return contextColumn === undefined
    ? { contextColumn: "sent1", startColumn: startColumn ?? "sent2" }
    : { contextColumn, startColumn };
}
