import { ClozeError } from "../../base/errors.ts";
import { isTableName, placeOf, readTable } from "../../formats/table.node.ts";
import { readLines } from "../../formats/text.node.ts";
import { decodeUtf8, splitLines } from "../../formats/text-lines.ts";
import type { TextReading } from "../definitions/text-reading.ts";
import type { TextInput } from "../run/text-or-pair.ts";

/**
 * Texts to predict for, as they come, from one of three sources: the texts themselves; the path of a file, which gives the
 * rows of a table or the lines of plain text; or, where it is undefined, the lines of standard input. Those that are empty,
 * and pairs with an empty half, are counted in `counts.skipped` or refused with TEXT_EMPTY. With `inPairs`, texts given as
 * such are pairs, the first with the second and so on. Throws OPTION_INVALID at once where their number is odd, or where
 * a column of pairs is asked for and the source has no columns.
 */
export function readInputs(
  source: readonly string[] | string | undefined,
  {
    textColumn = "text",
    pairColumn,
    onEmpty = "skip",
    inPairs = false,
  }: Pick<TextReading, "textColumn" | "pairColumn" | "onEmpty"> & { readonly inPairs?: boolean },
  counts: { skipped: number },
): AsyncGenerator<TextInput> {
  if (typeof source === "string" && isTableName(source)) {
    const columns = pairColumn === undefined ? [textColumn] : [textColumn, pairColumn];
    return withoutEmpty(rows(source, columns), onEmpty, counts);
  }
  if (pairColumn !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `--pair-column ${pairColumn} needs a table to take the column from`,
      expected: "--input with a file in CSV, TSV, JSON Lines or Parquet",
    });
  }
  if (typeof source !== "object") return withoutEmpty(lines(source), onEmpty, counts);
  return withoutEmpty(inPairs ? paired(source) : numbered(source), onEmpty, counts);
}

async function* withoutEmpty(
  inputs: Iterable<Placed> | AsyncIterable<Placed>,
  onEmpty: "refuse" | "skip",
  counts: { skipped: number },
): AsyncGenerator<TextInput> {
  for await (const { place, text, pair } of inputs) {
    if (text.trim() !== "" && pair?.trim() !== "") {
      yield pair === undefined ? { text } : { text, pair };
    } else if (onEmpty === "skip") {
      counts.skipped++;
    } else {
      throw new ClozeError("TEXT_EMPTY", { problem: `${place} is empty`, cure: "Fill it, or use --on-empty skip." });
    }
  }
}

/** The texts of several files, to learn a vocabulary from. */
export async function* readTexts(paths: readonly string[], textColumn: string): AsyncGenerator<string> {
  for (const path of paths) {
    for await (const { text } of isTableName(path) ? rows(path, [textColumn]) : lines(path)) yield text;
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

async function* rows(path: string, columns: readonly string[]): AsyncGenerator<Placed> {
  for await (const row of readTable(path, { columns })) {
    yield { text: row.values[0], pair: row.values[1], place: placeOf(path, row) };
  }
}

async function* lines(path: string | undefined): AsyncGenerator<Placed> {
  let line = 0;
  for await (const text of path === undefined
    ? splitLines("standard input", decodeUtf8("standard input", process.stdin))
    : readLines(path)) {
    yield { text, place: `${path ?? "standard input"}, line ${++line}` };
  }
  if (line === 0 && path !== undefined) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `${path} has no lines`,
      cure: "Check that it was written completely.",
    });
  }
}
