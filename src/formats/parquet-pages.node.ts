import type { AsyncBuffer, ColumnMetaData, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

/**
 * Checks the page headers of one column of a row group. hyparquet takes them at their word, and where they are damaged
 * it can loop without end. What the pages hold is not looked at: damage there may pass for data, or take much memory.
 *
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (PageHeader)
 * @throws Error where a header cannot be read or says what cannot be
 */
export async function checkPages(file: AsyncBuffer, column: ColumnMetaData): Promise<void> {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const bytes = await file.slice(start, start + Number(column.total_compressed_size));
  const reader = { view: new DataView(bytes), offset: 0 };
  while (reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const left = bytes.byteLength - reader.offset;
    if (!isPlausible(header, left, Number(column.num_values))) {
      throw new Error(`damaged page header in column ${column.path_in_schema.join(".")}`);
    }
    reader.offset += header.compressed_page_size;
  }
}

/** Whether a header fits a page of at most `bytes` bytes, in a column of `values` values. */
function isPlausible(header: PageHeader, bytes: number, values: number): boolean {
  const { compressed_page_size: size, uncompressed_page_size: fullSize } = header;
  const { dictionary_page_header: dictionary, data_page_header: v1, data_page_header_v2: v2 } = header;
  if (!isCount(size, bytes) || !isCount(fullSize, 2 ** 31)) return false;
  if (dictionary !== undefined) return isCount(dictionary.num_values, fullSize); // it may hold more than is used
  if (v1 !== undefined) return isCount(v1.num_values, values);
  if (v2 === undefined) return true;
  return (
    isCount(v2.num_values, values) &&
    isCount(v2.num_rows, values) &&
    isCount(v2.num_nulls, v2.num_values) &&
    isCount(v2.definition_levels_byte_length, size) &&
    isCount(v2.repetition_levels_byte_length, size - v2.definition_levels_byte_length)
  );
}

/** Whether a field, which may be missing whatever its type says, is a whole number from 0 to `limit`. */
function isCount(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= limit;
}
