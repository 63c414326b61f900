import { pipeline } from "node:stream";
import { findColumns, malformedRow, placeOf, type TableRow } from "./table-row.ts";
import { MAX_LINE_LENGTH, splitLines, withPlainLineEnds } from "./text-lines.ts";

/** The fields of one row, or of the header, and the line on which it begins. */
export interface Fields {
  line: number;
  fields: string[];
}

/**
 * Reads comma-separated values with quotes (RFC 4180). LF or CRLF ends a row, a CRLF within quotes becomes LF, and blank
 * lines are skipped, but for the empty cells of a table of one column.
 *
 * @param path names the source in errors
 * @param text in pieces of any length that cut no character in two
 * @throws ClozeError COLUMN_MISSING; ROW_MALFORMED for a wrong number of fields and for misplaced or unclosed quotes
 */
export function readCsv(path: string, text: AsyncIterable<string>, columns: readonly string[]) {
  return rowsOf(path, csvFields(path, text), columns);
}

/**
 * Reads tab-separated values, in which a quote is a character like any other and a field holds neither tab nor line
 * end, as GLUE's files have it. LF or CRLF ends a row, and blank lines are skipped, but for the empty cells of a table of
 * one column.
 *
 * @param path names the source in errors
 * @throws ClozeError COLUMN_MISSING; ROW_MALFORMED for a wrong number of fields
 */
export function readTsv(path: string, text: AsyncIterable<string>, columns: readonly string[]) {
  return rowsOf(path, tsvFields(path, text), columns);
}

async function* rowsOf(
  path: string,
  source: AsyncIterable<Fields>,
  columns: readonly string[],
): AsyncGenerator<TableRow> {
  let header: readonly string[] | undefined;
  let indexes: number[] = [];
  let row = 0;
  for await (const { line, fields } of source) {
    if (isBlank(fields) && header?.length !== 1) continue;
    if (header === undefined) {
      header = fields;
      indexes = findColumns(path, header, columns);
      continue;
    }
    row++;
    if (fields.length !== header.length) {
      throw malformedRow(placeOf(path, { row, line }), `${header.length} fields`, String(fields.length));
    }
    yield { row, line, values: indexes.map((index) => fields[index]) };
  }
}

/** Whether fields are those of a blank line, or of an empty cell in a table of one column. */
export function isBlank(fields: readonly string[]): boolean {
  return fields.length === 1 && fields[0] === "";
}

/** The fields of each line of tab-separated values, as {@link readTsv} splits them, uncounted. */
export async function* tsvFields(path: string, text: AsyncIterable<string>): AsyncGenerator<Fields> {
  let line = 0;
  for await (const content of splitLines(path, text)) {
    line++;
    yield { line, fields: content.split("\t") };
  }
}

async function* csvFields(path: string, text: AsyncIterable<string>): AsyncGenerator<Fields> {
  const { CsvError, parse } = await import("csv-parse"); // few files need it
  // It guesses one line end for the whole file and counts a quoted CRLF as two lines, hence plain LF.
  let complete = 0; // lines, of rows that our loop below may not have seen yet
  const parser = parse({
    record_delimiter: "\n",
    max_record_size: MAX_LINE_LENGTH,
    relax_column_count: true, // our caller counts
    on_record: (fields: string[], { lines }) => {
      complete = lines;
      return fields;
    },
  });
  pipeline(withPlainLineEnds(text), parser, () => {}); // a failure destroys the parser, which then throws it below
  const rows: AsyncIterable<string[]> = parser;
  let line = 1;
  try {
    for await (const fields of rows) {
      yield { line, fields };
      line += height(fields);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = error.code === "CSV_QUOTE_NOT_CLOSED" ? complete + 1 : error.lines;
    const [received, cure] = CSV_FAULTS.get(error.code) ?? [error.message];
    throw malformedRow(`${path}, line ${line}`, "comma-separated values", received, { cure, cause: error });
  }
}

/** What csv-parse complains of, and its cures. */
const CSV_FAULTS = new Map([
  [
    "CSV_QUOTE_NOT_CLOSED",
    ["a quote that is opened in this row and never closed", "Close it, or write it twice within quotes."],
  ],
  [
    "INVALID_OPENING_QUOTE",
    ["a quote within a field that has none around it", "Put quotes around the field, and write those within it twice."],
  ],
  [
    "CSV_INVALID_CLOSING_QUOTE",
    ["a quote within a field that is closed before its end", "Write quotes within a field twice."],
  ],
]);

/** How many lines a row of CSV takes up. */
function height(fields: string[]): number {
  return fields.reduce((lines, field) => lines + (field.includes("\n") ? field.split("\n").length - 1 : 0), 1);
}
