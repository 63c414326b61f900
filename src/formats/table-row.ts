import { ClozeError } from "../base/errors.ts";
import { quote, quoteSome } from "../base/quote.ts";

/** One row of a table, reduced to the columns that were asked for. */
export interface TableRow {
  /** Counts the rows of data from 1; a header is none. */
  readonly row: number;
  /** The line, from 1, on which the row begins; undefined where the format has no lines. */
  readonly line: number | undefined;
  /** The values of the columns, in the order in which they were asked for. */
  readonly values: string[];
}

/** Where a row stands, for messages: "train.tsv, line 3" or "train.parquet, row 2". */
export function placeOf(path: string, { row, line }: Pick<TableRow, "row" | "line">): string {
  return line === undefined ? `${path}, row ${row}` : `${path}, line ${line}`;
}

/**
 * Finds the columns asked for among those that a table has.
 *
 * @param place names the table, or the row, in errors
 * @returns for each of `asked` its index in `found`
 * @throws ClozeError COLUMN_MISSING where one is absent; ROW_MALFORMED where one is there twice
 */
export function findColumns(place: string, found: readonly string[], asked: readonly string[]): number[] {
  return asked.map((name) => {
    const index = found.indexOf(name);
    if (index < 0) {
      throw new ClozeError("COLUMN_MISSING", {
        problem: `${place} has no column ${JSON.stringify(name)}`,
        expected: asked.map((column) => JSON.stringify(column)).join(", "),
        received: quoteSome(found, 30) || "no columns",
        cure: "Name one of the columns that are there.",
      });
    }
    if (found.includes(name, index + 1)) {
      throw malformedRow(place, "different names for its columns", `${quote(name)} twice`);
    }
    return index;
  });
}

/**
 * The text form of a value from a typed format: strings as they are, numbers in JavaScript's shortest form, `true` or
 * `false`, dates in ISO 8601. A null is the empty text, so that whoever reads the table treats it as any empty cell.
 * Nothing else has one: neither lists and objects, nor whole numbers beyond 2^53, which have lost digits by the time that
 * they arrive here as a `number`. A list becomes JSON in the columns that `lists` names.
 *
 * @throws ClozeError ROW_MALFORMED, naming `place` and `column`
 */
export function cellText(value: unknown, place: string, column: string, lists: readonly string[] = []): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value) && lists.includes(column)) {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));
  }
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isInteger(value) || Number.isSafeInteger(value)) return String(value);
  }
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString();
  const expected = `text, a number or a boolean in column ${JSON.stringify(column)}`;
  throw malformedRow(place, expected, describe(value));
}

/** A row that its format does not allow. */
export function malformedRow(
  place: string,
  expected: string,
  received: string,
  { cure = "Correct it or take it out.", cause }: { readonly cure?: string; readonly cause?: unknown } = {},
): ClozeError {
  return new ClozeError("ROW_MALFORMED", { problem: `${place} is malformed`, expected, received, cure, cause });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return `${value}, which is too large to be exact`;
  return value instanceof Uint8Array ? "bytes" : "an object";
}
