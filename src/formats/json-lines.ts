import { cellText, findColumns, malformedRow, placeOf, type TableRow } from "./table-row.ts";
import { splitLines } from "./text-lines.ts";

/**
 * Reads JSON Lines: one JSON object (RFC 8259) a line; blank lines are skipped. Values become text as {@link cellText}
 * says; every row must have every column asked for, if only as null.
 *
 * @param path names the source in errors
 * @throws ClozeError COLUMN_MISSING; ROW_MALFORMED for a line that is no JSON object and for values without text form
 */
export async function* readJsonLines(
  path: string,
  text: AsyncIterable<string>,
  { columns, lists }: { columns: readonly string[]; lists?: readonly string[] },
): AsyncGenerator<TableRow> {
  let line = 0;
  let row = 0;
  for await (const content of splitLines(path, text)) {
    line++;
    if (content.trim() === "") continue;
    const place = placeOf(path, { row: ++row, line });
    const object = parseObject(content, place);
    const values = columns.map((column) => {
      if (!Object.hasOwn(object, column)) findColumns(place, Object.keys(object), columns);
      return cellText(object[column], place, column, lists);
    });
    yield { row, line, values };
  }
}

/** Parses a line. Throws ROW_MALFORMED, naming `place`, where it is no JSON object. */
export function parseObject(content: string, place: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw malformedRow(place, "one JSON object a line", error instanceof Error ? error.message : "no JSON", error);
  }
  if (isObject(value)) return value;
  throw malformedRow(place, "one JSON object a line", Array.isArray(value) ? "a list" : `${value}`);
}

/** What a cell holds as JSON; undefined, which no JSON gives, where it is none. */
export function parseJson(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
