import { parseJson } from "./json.ts";
import { cellText, findColumns, malformedRow, placeOf, type TableRow } from "./table-row.ts";
import { splitLines } from "./text-lines.ts";

/**
 * Reads JSON Lines: one JSON object (RFC 8259) a line; blank lines are skipped. Values become text as {@link cellText}
 * says; a column that the first row has and a later one lacks is null there.
 *
 * @param path names the source in errors
 * @throws ClozeError COLUMN_MISSING where the first row lacks a column; ROW_MALFORMED for a line that is no JSON object and for values without text form
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
    if (row === 1) findColumns(place, Object.keys(object), columns);
    const values = columns.map((column) => {
      return cellText(Object.hasOwn(object, column) ? object[column] : null, place, column, lists);
    });
    yield { row, line, values };
  }
}

/** Parses a line. Throws ROW_MALFORMED, naming `place`, where it is no JSON object. */
export function parseObject(content: string, place: string): Record<string, unknown> {
  const value = parseJson(content, (fault, cause) => {
    throw malformedRow(place, "one JSON object a line", fault, { cause });
  });
  if (isObject(value)) return value;
  throw malformedRow(place, "one JSON object a line", Array.isArray(value) ? "a list" : `${value}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
