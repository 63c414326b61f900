import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { ClozeError } from "../base/errors.ts";
import { checkPages } from "./parquet-pages.node.ts";
import { cellText, findColumns, malformedRow, placeOf, type TableRow } from "./table-row.ts";

/**
 * Reads a Parquet file, one row group at a time, in any of the format's encodings and compressions but without its
 * encryption. Values become text as {@link cellText} says.
 *
 * @param path names the source in errors
 * @param file the whole file, to be read by ranges
 * @throws ClozeError COLUMN_MISSING, PARQUET_MALFORMED, INVALID_UTF8, ROW_MALFORMED for values without text form
 */
export async function* readParquet(
  path: string,
  file: AsyncBuffer,
  { columns, lists }: { columns: readonly string[]; lists?: readonly string[] },
): AsyncGenerator<TableRow> {
  const { metadata, names } = await reading(path, readFooter(file));
  findColumns(path, names, columns);
  const scales = decimalScales(metadata);
  let row = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = row + Number(group.num_rows);
    for (const { meta_data } of group.columns) {
      if (meta_data && columns.includes(meta_data.path_in_schema[0])) await reading(path, checkPages(file, meta_data));
    }
    const wanted = { columns: [...new Set(columns)], rowStart: row, rowEnd };
    const objects = await reading(path, parquetReadObjects({ file, metadata, ...wanted, compressors, parsers }));
    for (const object of objects) {
      const place = placeOf(path, { row: ++row, line: undefined });
      const textOf = (column: string) => {
        const scale = scales.get(column);
        const value = object[column];
        return typeof value === "number" && scale !== undefined
          ? decimalText(value, scale, place)
          : cellText(value, place, column, lists);
      };
      yield { row, line: undefined, values: columns.map(textOf) };
    }
    row = rowEnd;
  }
}

/** Digits behind the point of each column of decimals. */
function decimalScales(metadata: FileMetaData): Map<string, number> {
  const elements = parquetSchema(metadata).children.map(({ element }) => element);
  const decimals = elements.filter((element) => element.converted_type === "DECIMAL");
  return new Map(decimals.map(({ name, scale = 0 }) => [name, scale]));
}

/**
 * A decimal as it was written, of which hyparquet makes a float64 by multiplication: 0.3 is 0.30000000000000004 then. That
 * errs by 3 parts in 2^53, less than half a unit of 15 digits. A damaged file may have any scale.
 */
function decimalText(value: number, scale: number, place: string): string {
  if (scale >= 0 && scale <= 100 && Math.abs(value) * 10 ** scale < 1e15) return value.toFixed(scale);
  throw malformedRow(place, "a decimal of at most 15 digits", `${value}, which has lost some`);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text is decoded strictly, and JSON is left as the text that it is; hyparquet passes a null on as undefined. */
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes),
};

async function readFooter(file: AsyncBuffer): Promise<{ metadata: FileMetaData; names: string[] }> {
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  const names = parquetSchema(metadata).children.map((child) => child.element.name);
  // Whatever its types say, hyparquet gives none where the footer is damaged.
  if (names.some((name) => typeof name !== "string")) throw new Error("a column has no name");
  return { metadata, names };
}

/** Awaits hyparquet, which throws plain errors of many kinds on a damaged file, and names the failure. */
async function reading<T>(path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    const notText = cause instanceof TypeError && "code" in cause && cause.code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw new ClozeError(notText ? "INVALID_UTF8" : "PARQUET_MALFORMED", {
      problem: notText ? `${path} holds text that is not UTF-8` : `${path} cannot be read as Parquet`,
      received: cause instanceof Error ? cause.message : String(cause),
      cure: "Write it again, or convert it to JSON Lines.",
      cause,
    });
  }
}
