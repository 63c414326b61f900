import { ClozeError } from "../../base/errors.ts";
import { hasText } from "../../base/has-text.ts";
import { isParquet } from "../../formats/binary.ts";
import { type GlueSkip, readGlueTexts } from "../../formats/glue.node.ts";
import { glueTaskOf } from "../../formats/glue.ts";
import { looksUnlikeText, type OtherFormat } from "../../formats/looks-like.ts";
import { isTableName, placeOf, readTable } from "../../formats/table.node.ts";
import { type OpenFile, openFile, peek } from "../../formats/text.node.ts";
import { decodeUtf8, splitLines } from "../../formats/text-lines.ts";
import type { TextReading } from "../definitions/text-reading.ts";
import type { SkipCounts } from "../run/input-counts.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { emptyRow, requireNoColumns, UNUSABLE, unusableRow } from "./text-rows.node.ts";

export type InputReading = Pick<TextReading, "format" | "textColumn" | "pairColumn" | "onEmpty"> & {
  /** Whether texts given as such are pairs, the first with the second and so on. */
  readonly inPairs?: boolean;
};

/**
 * Texts to predict for, as they come, from one of three sources: the texts themselves; the path of a file; or, where it is
 * undefined, the lines of standard input. A file gives the rows of a table if its name says that it is one, if a column is
 * named or if it is Parquet, the rows of a file of GLUE, with or without labels, if `format` says so, and else the lines of
 * plain text. Those that are empty, pairs with an empty half, and rows of GLUE with a wrong number of fields are counted or
 * refused, with TEXT_EMPTY or ROW_MALFORMED.
 *
 * Throws OPTION_INVALID at once where pairs are of an odd number of texts, and where a format or a column is asked for and the
 * source has none; while reading FORMAT_UNKNOWN for lines that are no plain text, and the errors of `readTable`, `readGlueTexts`
 * and `splitLines`.
 */
export function readInputs(
  source: readonly string[] | string | undefined,
  { format, textColumn, pairColumn, onEmpty = "skip", inPairs = false }: InputReading,
  counts: SkipCounts,
): AsyncGenerator<TextInput> {
  if (typeof source === "string") {
    return withoutEmpty(fileInputs(source, { format, textColumn, pairColumn }), onEmpty, counts);
  }
  const given = { "--format": format, "--text-column": textColumn, "--pair-column": pairColumn };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    throw new ClozeError("OPTION_INVALID", {
      problem: `${option} ${value} needs a file to read`,
      expected: "--input with a file",
    });
  }
  if (source === undefined) return withoutEmpty(rowsOrLines(source), onEmpty, counts);
  return withoutEmpty(inPairs ? paired(source) : numbered(source), onEmpty, counts);
}

function fileInputs(
  path: string,
  { format, textColumn, pairColumn }: Omit<InputReading, "onEmpty" | "inPairs">,
): AsyncGenerator<Placed | GlueSkip> {
  if (format !== undefined) {
    requireNoColumns(format, { "--text-column": textColumn, "--pair-column": pairColumn });
    return readGlueTexts(glueTaskOf(format), path);
  }
  return rowsOrLines(path, textColumn, pairColumn);
}

/** What {@link readInputs} gives of a source that {@link openInputs} opened. */
export function readOpenInputs(
  source: OpenInputs,
  { textColumn, pairColumn, onEmpty = "skip" }: Omit<InputReading, "format" | "inPairs">,
  counts: SkipCounts,
): AsyncGenerator<TextInput> {
  return withoutEmpty(rowsOrLinesOf(source, textColumn, pairColumn), onEmpty, counts);
}

async function* withoutEmpty(
  inputs: Iterable<Placed> | AsyncIterable<Placed | GlueSkip>,
  onEmpty: "refuse" | "skip",
  counts: SkipCounts,
): AsyncGenerator<TextInput> {
  for await (const input of inputs) {
    if (!("skipped" in input) && [input.text, input.pair ?? input.text].every(hasText)) {
      const { text, pair } = input;
      yield pair === undefined ? { text } : { text, pair };
    } else if (onEmpty === "skip") {
      counts.skip(UNUSABLE["skipped" in input ? input.skipped : "empty"], input.place);
    } else if ("skipped" in input) {
      throw unusableRow(input);
    } else {
      throw emptyRow(`${input.place} is empty`);
    }
  }
}

/** The texts of several files, to learn a vocabulary from. */
export async function* readTexts(paths: readonly string[], textColumn: string): AsyncGenerator<string> {
  for (const path of paths) {
    const source = await openInputs(path);
    for await (const { text } of source.isTable ? rows(source, textColumn) : linesOf(source)) yield text;
  }
}

interface Placed extends TextInput {
  readonly place: string;
}

function numbered(texts: readonly string[]): Placed[] {
  return texts.map((text, i) => ({ text, place: `text ${i + 1}` }));
}

function paired(texts: readonly string[]): Placed[] {
  if (texts.length % 2 === 1) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "texts come in pairs here",
      expected: "an even number of texts",
      received: String(texts.length),
    });
  }
  return numbered(texts).flatMap(({ text, place }, i) => (i % 2 === 0 ? [{ text, pair: texts[i + 1], place }] : []));
}

async function* rowsOrLines(path: string | undefined, ...columns: Columns): AsyncGenerator<Placed> {
  yield* rowsOrLinesOf(await openInputs(path), ...columns);
}

/** The rows of what is a table, or must be one since a column of it is spoken of; else lines. */
function rowsOrLinesOf(source: OpenInputs, ...columns: Columns): AsyncGenerator<Placed> {
  const isTable = source.isTable || columns.some((column) => column !== undefined);
  return isTable ? rows(source, ...columns) : linesOf(source);
}

type Columns = [textColumn?: string, pairColumn?: string];

async function* rows(source: OpenFile, textColumn = "text", pairColumn?: string): AsyncGenerator<Placed> {
  const columns = pairColumn === undefined ? [textColumn] : [textColumn, pairColumn];
  for await (const row of readTable(source, { columns })) {
    yield { text: row.values[0], pair: row.values[1], place: placeOf(source.name, row) };
  }
}

/**
 * The lines of an open file. Throws FORMAT_UNKNOWN where it is no plain text, FILE_EMPTY for a file without lines (standard
 * input may have none), and the errors of `splitLines`.
 */
async function* linesOf({ path, name, chunks, other }: OpenInputs): AsyncGenerator<Placed> {
  let line = 0;
  try {
    if (other !== undefined) throw notPlain(name, other);
    for await (const text of splitLines(name, decodeUtf8(name, chunks)))
      yield { text, place: `${name}, line ${++line}` };
  } finally {
    await chunks.return(undefined);
  }
  if (line === 0 && path !== undefined) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `${name} has no lines`,
      cure: "Check that it was written completely.",
    });
  }
}

function notPlain(name: string, other: OtherFormat): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${name} is no plain text`,
    expected: "a text a line, or a table",
    received: `what looks like ${other.name}`,
    cure: `Such files are for ${other.task}; convert it, or name another file.`,
  });
}

/** Inputs that are open for reading, once, as a pipe is. */
export interface OpenInputs extends OpenFile {
  /** Undefined for standard input. */
  readonly path: string | undefined;
  /** Whether they are a table, by their name or, as Parquet, by their beginning. */
  readonly isTable: boolean;
  /** What they are, by their beginning, if they are no text. */
  readonly other: OtherFormat | undefined;
}

/** Enough to tell a format by; of standard input less, so that a first chunk of short lines is answered when it is there. */
const HEAD_BYTES = { file: 1 << 16, standardInput: 1 << 12 };

/** Opens a file, a pipe or, without a path, standard input, and tells what it is. Throws the errors of `openFile`. */
export async function openInputs(path: string | undefined): Promise<OpenInputs> {
  const file = await openFile(path);
  const length = path === undefined ? HEAD_BYTES.standardInput : HEAD_BYTES.file;
  const [head, chunks] = await peek(file.chunks, length);
  const other = looksUnlikeText(new TextDecoder().decode(head.subarray(0, HEAD_BYTES.file)));
  return { ...file, path, chunks, isTable: isTableName(file.name) || isParquet(head), other };
}
