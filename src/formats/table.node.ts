import { ClozeError, type ErrorCode } from "../base/errors.ts";
import { quote } from "../base/quote.ts";
import { isParquet, refuseBinary } from "./binary.ts";
import { readCsv, readTsv } from "./delimited.node.ts";
import { readJsonLines } from "./json-lines.ts";
import { looksLike } from "./looks-like.ts";
import type { TableRow } from "./table-row.ts";
import { type OpenFile, openFile, peek } from "./text.node.ts";
import { decodeUtf8 } from "./text-lines.ts";

export type { TableRow } from "./table-row.ts";
export { placeOf } from "./table-row.ts";

export type TableFormat = "csv" | "tsv" | "jsonl" | "parquet";

export interface TableOptions {
  /** The columns to read. */
  columns: readonly string[];
  /** Columns whose values may be lists, where the format has them; they come as JSON. */
  lists?: readonly string[];
}

const TABLE_FORMATS = "CSV, TSV, JSON Lines or Parquet";

/** Enough for the header line of any sensible table, and for a few sentences of CoNLL. */
const HEAD_BYTES = 4096;

/**
 * Reads the named columns of a table, by its path or open, row by row, without holding the file: CSV, TSV, JSON Lines or
 * Parquet, gzip or not. The name's ending says which (`.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.parquet`, each also with `.gz`);
 * where it says none of these, the content does. Gzip is known by its content alone.
 *
 * @throws ClozeError FILE_MISSING; FILE_EMPTY for a table without rows; FORMAT_UNKNOWN, also for a file of SQuAD or
 *   CoNLL; COLUMN_MISSING; ROW_MALFORMED; INVALID_UTF8; GZIP_TRUNCATED; GZIP_MALFORMED; PARQUET_MALFORMED
 */
export async function* readTable(source: string | OpenFile, options: TableOptions): AsyncGenerator<TableRow> {
  const file = typeof source === "string" ? await openFile(source) : source;
  const { name: path } = file;
  const [head, chunks] = await peek(file.chunks, HEAD_BYTES);
  let rows = 0;
  try {
    if (head.length === 0) throw emptyTable(path);
    const format = formatByName(path) ?? formatByContent(head);
    if (format !== "parquet" || !isParquet(head)) refuseBinary(path, head, TABLE_FORMATS);
    if (format === undefined) throw isBlank(head) ? emptyTable(path) : unknownFormat(path, head);
    for await (const row of READERS[format](path, { ...file, chunks }, options)) {
      rows++;
      yield row;
    }
    if (rows === 0) throw emptyTable(path);
  } catch (error) {
    throw (rows === 0 ? otherFormat(path, head, error) : undefined) ?? error;
  } finally {
    await chunks.return(undefined);
  }
}

/** Whether a path's ending says that it is a table. */
export function isTableName(path: string): boolean {
  return formatByName(path) !== undefined;
}

type Reader = (path: string, file: OpenFile, options: TableOptions) => AsyncGenerator<TableRow>;

const READERS: { [F in TableFormat]: Reader } = {
  csv: (path, { chunks }, { columns }) => readCsv(path, decodeUtf8(path, chunks), columns),
  tsv: (path, { chunks }, { columns }) => readTsv(path, decodeUtf8(path, chunks), columns),
  jsonl: (path, { chunks }, options) => readJsonLines(path, decodeUtf8(path, chunks), options),
  async *parquet(path, { seekable, chunks }, options) {
    const [{ asyncBufferFromFile }, { readParquet }] = await Promise.all([
      import("hyparquet"), // much code that few files need
      import("./parquet.node.ts"),
    ]);
    // It is read from its end, so what can only be read from its start has to be held whole.
    yield* readParquet(path, seekable ? await asyncBufferFromFile(path) : await collect(chunks), options);
  },
};

function formatByName(path: string): TableFormat | undefined {
  switch (/\.([a-z]+)(\.gz)?$/.exec(path.toLowerCase())?.[1]) {
    case "csv":
      return "csv";
    case "tsv":
      return "tsv";
    case "jsonl":
    case "ndjson":
    case "json":
      return "jsonl";
    case "parquet":
      return "parquet";
  }
}

/** The format of a file that begins with `head`: by Parquet's magic, an opening brace, or what the first line holds. */
function formatByContent(head: Uint8Array): TableFormat | undefined {
  if (isParquet(head)) return "parquet";
  const start = new TextDecoder().decode(head).trimStart();
  if (start.startsWith("{")) return "jsonl";
  const firstLine = start.split("\n", 1)[0];
  return firstLine.includes("\t") ? "tsv" : firstLine.includes(",") ? "csv" : undefined;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts)).buffer;
}

function isBlank(head: Uint8Array): boolean {
  return new TextDecoder().decode(head).trim() === "";
}

/** What is wrong with a file whose first row cannot be read, if it is one of another format. */
function otherFormat(path: string, head: Uint8Array, cause: unknown): ClozeError | undefined {
  const isTable = !(cause instanceof ClozeError) || !OTHER_FORMAT_CODES.includes(cause.code);
  const other = isTable ? undefined : looksLike(new TextDecoder().decode(head));
  if (other === undefined) return undefined;
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${path} is no table`,
    expected: TABLE_FORMATS,
    received: `what looks like ${other.name}`,
    cure: `Such files are for ${other.task}; convert it, or name a table.`,
    cause,
  });
}

/** What becomes of files of other formats that are read as tables. */
const OTHER_FORMAT_CODES: readonly ErrorCode[] = ["COLUMN_MISSING", "ROW_MALFORMED", "FORMAT_UNKNOWN"];

function emptyTable(path: string): ClozeError {
  return new ClozeError("FILE_EMPTY", {
    problem: `${path} has no rows`,
    cure: "Check that it was written completely.",
  });
}

function unknownFormat(path: string, head: Uint8Array): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${path} is no table that can be recognised`,
    expected: TABLE_FORMATS,
    received: quote(new TextDecoder().decode(head)),
    cure: "End its name with .csv, .tsv, .jsonl or .parquet.",
  });
}
