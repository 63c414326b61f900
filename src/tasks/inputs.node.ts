import { ClozeError } from "../base/errors.ts";
import { isTableName, placeOf, readTable } from "../formats/table.node.ts";
import { readLines } from "../formats/text.node.ts";
import { decodeUtf8, splitLines } from "../formats/text-lines.ts";
import type { ReadOptions } from "./labelled-texts.node.ts";
import type { TextInput } from "./text-classification.ts";

/**
 * Texts to predict for, as they come: the rows of a table file, or the lines of a plain one. Without a path, the lines of
 * standard input. Empty ones are counted in `counts.skipped` or refused with TEXT_EMPTY.
 */
export async function* readInputs(
  path: string | undefined,
  { textColumn = "text", pairColumn, onEmpty = "skip" }: ReadOptions,
  counts: { skipped: number },
): AsyncGenerator<TextInput> {
  const columns = pairColumn === undefined ? [textColumn] : [textColumn, pairColumn];
  for await (const { place, text, pair } of path !== undefined && isTableName(path)
    ? rows(path, columns)
    : lines(path)) {
    if (text.trim() !== "") {
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

async function* rows(path: string, columns: readonly string[]): AsyncGenerator<Placed> {
  for await (const row of readTable(path, { columns })) {
    yield { text: row.values[0]!, pair: row.values[1], place: placeOf(path, row) };
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
