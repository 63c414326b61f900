import { stat } from "node:fs/promises";
import { ClozeError } from "../../base/errors.ts";
import { type GlueSkip, readGlueTexts } from "../../formats/glue.node.ts";
import { glueTaskOf } from "../../formats/glue.ts";
import { looksUnlikeText, type OtherFormat } from "../../formats/looks-like.ts";
import { isTableName, placeOf, readTable } from "../../formats/table.node.ts";
import { openFile, peek } from "../../formats/text.node.ts";
import { decodeUtf8, splitLines } from "../../formats/text-lines.ts";
import type { TextReading } from "../definitions/text-reading.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { emptyRow, requireNoColumns, unusableRow } from "./text-rows.node.ts";

export type InputReading = Pick<TextReading, "format" | "textColumn" | "pairColumn" | "onEmpty"> & {
  /** Whether texts given as such are pairs, the first with the second and so on. */
  readonly inPairs?: boolean;
};

/**
 * Texts to predict for, as they come, from one of three sources: the texts themselves; the path of a file; or, where it is
 * undefined, the lines of standard input. A file gives the rows of a table if its name says that it is one or if a column is
 * named, the rows of a file of GLUE, with or without labels, if `format` says so, and else the lines of plain text. Those
 * that are empty, and pairs with an empty half, are counted in `counts.skipped` or refused with TEXT_EMPTY.
 *
 * Throws OPTION_INVALID at once where pairs are of an odd number of texts, and where a format or a column is asked for and the
 * source has none; while reading FORMAT_UNKNOWN for lines that are no plain text, and the errors of `readTable`, `readGlueTexts`
 * and `splitLines`.
 */
export function readInputs(
  source: readonly string[] | string | undefined,
  { format, textColumn, pairColumn, onEmpty = "skip", inPairs = false }: InputReading,
  counts: { skipped: number },
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
  if (source === undefined) return withoutEmpty(lines(source), onEmpty, counts);
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
  const isTable = isTableName(path) || textColumn !== undefined || pairColumn !== undefined;
  return isTable ? rows(path, textColumn, pairColumn) : lines(path);
}

async function* withoutEmpty(
  inputs: Iterable<Placed> | AsyncIterable<Placed | GlueSkip>,
  onEmpty: "refuse" | "skip",
  counts: { skipped: number },
): AsyncGenerator<TextInput> {
  for await (const input of inputs) {
    if (!("skipped" in input) && input.text.trim() !== "" && input.pair?.trim() !== "") {
      const { text, pair } = input;
      yield pair === undefined ? { text } : { text, pair };
    } else if (onEmpty === "skip") {
      counts.skipped++;
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
    for await (const { text } of isTableName(path) ? rows(path, textColumn) : lines(path)) yield text;
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

async function* rows(path: string, textColumn = "text", pairColumn?: string): AsyncGenerator<Placed> {
  const columns = pairColumn === undefined ? [textColumn] : [textColumn, pairColumn];
  for await (const row of readTable(path, { columns })) {
    yield { text: row.values[0], pair: row.values[1], place: placeOf(path, row) };
  }
}

async function* lines(path: string | undefined): AsyncGenerator<Placed> {
  let line = 0;
  for await (const text of path === undefined
    ? splitLines("standard input", decodeUtf8("standard input", process.stdin))
    : plainLines(path)) {
    yield { text, place: `${path ?? "standard input"}, line ${++line}` };
  }
  if (line === 0 && path !== undefined) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `${path} has no lines`,
      cure: "Check that it was written completely.",
    });
  }
}

/** Enough to tell a format by. */
const HEAD_BYTES = 1 << 16;

/** The lines of a file. Throws FORMAT_UNKNOWN where it is no plain text, and the errors of `openFile` and `splitLines`. */
async function* plainLines(path: string): AsyncGenerator<string> {
  const file = await openFile(path);
  const [head, chunks] = await peek(file.chunks, HEAD_BYTES);
  try {
    const other = otherFormatOf(head);
    if (other !== undefined) {
      throw new ClozeError("FORMAT_UNKNOWN", {
        problem: `${path} is no plain text`,
        expected: "a text a line, or a table",
        received: `what looks like ${other.name}`,
        cure: `Such files are for ${other.task}; convert it, or name another file.`,
      });
    }
    yield* splitLines(path, decodeUtf8(path, chunks));
  } finally {
    await chunks.return(undefined);
  }
}

/**
 * What a file is, by its beginning, if it is no text. Of a pipe, which can be read but once, and of a missing file nothing is
 * known. Throws the errors of `openFile`.
 */
export async function peekFormat(path: string): Promise<OtherFormat | undefined> {
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isFile) return undefined;
  const [head, chunks] = await peek((await openFile(path)).chunks, HEAD_BYTES);
  await chunks.return(undefined);
  return otherFormatOf(head);
}

function otherFormatOf(head: Uint8Array): OtherFormat | undefined {
  return looksUnlikeText(new TextDecoder().decode(head.subarray(0, HEAD_BYTES)));
}
