import { countOf } from "../base/count-of.ts";
import { ClozeError } from "../base/errors.ts";
import { quote } from "../base/quote.ts";
import { looksLikeTable } from "./looks-like.ts";
import { malformedRow } from "./table-row.ts";
import { splitLines } from "./text-lines.ts";

/** A sentence of a file with columns. */
export interface ConllSentence {
  /** [column][token], in the order in which they were asked for. */
  readonly columns: string[][];
  /** The line of each token, from 1. */
  readonly lines: number[];
  /** Lines in it or before it of CoNLL-U's rows that are no words. Absent where there are none. */
  readonly skipped?: readonly number[];
}

export interface ColumnChoice {
  /**
   * What stands between columns: `tab`, one; `space`, one or more; `whitespace`, one or more of either; or a text of
   * its own, such as `,`, which is one separator each time. Not empty.
   */
  readonly separator: string;
  /** The columns to read, the tokens' and perhaps the tags', from 0 or, where negative, from the end. */
  readonly columns: readonly number[];
}

const NAMES = ["token", "tag"];

/**
 * Reads the chosen columns of a file in the manner of CoNLL's shared tasks: a token a line, with columns about it, and
 * blank lines between sentences. A line that begins with `-DOCSTART-` ends a sentence too, and is no token. In a file
 * with tabs, a line without one that begins with `# ` is a comment, as in CoNLL-U; anywhere else `#` is a token. Where the
 * first column numbers the words and is not theirs, rows of multiword tokens (`1-2`) and of empty nodes (`2.1`) are left
 * out. A separator cannot be quoted.
 *
 * @param path names the source in errors
 * @throws ClozeError ROW_MALFORMED for a row that has more or fewer columns than the first, or nothing in a column that
 *   is read, for NUL, and for an endless line; COLUMN_MISSING
 */
export async function* readConllColumns(
  path: string,
  text: AsyncIterable<string>,
  { separator, columns }: ColumnChoice,
): AsyncGenerator<ConllSentence> {
  const split = splitterOf(separator);
  const hasComments = separator === "tab" || separator === "\t";
  let first: { line: number; width: number; indexes: number[]; isNumbered: boolean } | undefined;
  let sentence: ConllSentence | undefined;
  let skipped: number[] = [];
  const finished = (found: ConllSentence) => (skipped.length === 0 ? found : { ...found, skipped });
  let line = 0;
  for await (const content of splitLines(path, text)) {
    line++;
    if (content.trim() === "" || DOCUMENT_START.test(content)) {
      if (sentence !== undefined) {
        yield finished(sentence);
        skipped = [];
      }
      sentence = undefined;
      continue;
    }
    if (hasComments && isComment(content)) continue;
    const place = `${path}, line ${line}`;
    if (content.includes("\0")) throw malformedRow(place, "text", "NUL", { cure: "Take the NUL out." });
    const fields = split(content);
    first ??= { line, ...layoutOf(place, fields, columns) };
    if (fields.length !== first.width) {
      const expected = `${countOf(first.width, "column")}, as in line ${first.line}`;
      const lacksTag = fields.length === 1 && columns.length > 1;
      throw malformedRow(place, expected, `${fields.length}: ${quote(content)}${lacksTag ? ", without a tag" : ""}`);
    }
    if (first.isNumbered && NO_WORD.test(fields[0])) {
      skipped.push(line);
      continue;
    }
    sentence ??= { columns: columns.map(() => []), lines: [] };
    sentence.lines.push(line);
    for (const [i, index] of first.indexes.entries()) {
      if (fields[index] === "") throw malformedRow(place, `a ${NAMES[i]} in column ${index}`, "nothing");
      sentence.columns[i].push(fields[index]);
    }
  }
  if (sentence !== undefined) yield finished(sentence);
}

function layoutOf(place: string, fields: readonly string[], columns: readonly number[]) {
  const indexes = findIndexes(place, fields.length, columns);
  return { width: fields.length, indexes, isNumbered: FIRST_NUMBER.test(fields[0]) && indexes[0] !== 0 };
}

/** What CoNLL-U's first column may begin with. */
const FIRST_NUMBER = /^(?:1|1-\d+|0\.1)$/;

/** A multiword token, whose words follow it, or an empty node, which is not in the text. */
const NO_WORD = /^\d+[-.]\d+$/;

const DOCUMENT_START = /^-DOCSTART-(?:\s|$)/;

/** Whether a line is none of tokens, in a file with tabs. */
function isComment(line: string): boolean {
  return line.startsWith("# ") && !line.includes("\t");
}

function splitterOf(separator: string): (line: string) => string[] {
  switch (separator) {
    case "tab":
      return (line) => line.split("\t");
    case "space":
    case " ":
      return (line) => splitAtRuns(line, / +/);
    case "whitespace":
      return (line) => splitAtRuns(line, /[ \t]+/);
    default:
      return (line) => line.split(separator);
  }
}

/** The fields of a line, after which there may be more blanks. */
function splitAtRuns(line: string, run: RegExp): string[] {
  const fields = line.split(run);
  return fields.at(-1) === "" ? fields.slice(0, -1) : fields;
}

/** The indexes from 0 of the columns asked for, in rows of `width` columns. */
function findIndexes(place: string, width: number, columns: readonly number[]): number[] {
  const indexes = columns.map((column) => {
    const index = column < 0 ? width + column : column;
    if (Number.isInteger(index) && index >= 0 && index < width) return index;
    throw new ClozeError("COLUMN_MISSING", {
      problem: `${place} has no column ${column}`,
      expected: `a column from 0 to ${width - 1}, or from -1 to -${width}, counted from the end`,
      cure: "Choose one of the columns that are there.",
    });
  });
  if (indexes[0] === indexes[1])
    throw malformedRow(place, "a token and a tag, in columns of their own", countOf(width, "column"));
  return indexes;
}

/** The separator of a file that begins with `head`: a tab where there is one, else spaces. */
export function separatorOf(head: string): string {
  return head.includes("\t") ? "tab" : "space";
}

/**
 * What else a file is that begins with `head`: JSON or, where tokens with tags were to come, CSV or a tab-separated table of
 * texts. (One of single words looks no different from a CoNLL file, but for the names of its columns.)
 */
export function otherFormatOf(head: string, { tagged }: { tagged: boolean }): string | undefined {
  if (/^\s*(?:\[\s*)?\{\s*"[^"]*"\s*:/.test(head)) return "JSON";
  if (!tagged) return undefined;
  const lines = head.trim().split(/\r?\n/);
  if (lines[0].includes(",") && !/[ \t]/.test(lines[0])) return "CSV";
  const isTable = isTableOfTexts(lines) || (!hasBlank(lines) && looksLikeTable(head) !== undefined);
  return isTable ? "a table of texts" : undefined;
}

/**
 * Whether a file that begins with `head` looks like sentences, a line each, without tags: without tabs, of several words
 * each, and of as many in no two lines out of three.
 */
export function looksLikeSentences(head: string): boolean {
  if (head.includes("\t")) return false;
  const lines = head
    .trim()
    .split("\n", SENTENCES_LOOKED_AT)
    .filter((line) => line.trim() !== "");
  const widths = lines.map((line) => line.trim().split(/\s+/).length);
  const most = Math.max(...widths.map((width) => widths.filter((other) => other === width).length));
  const isLong = widths.filter((width) => width > 3).length > widths.length / 2;
  return widths.length > 1 && isLong && most < (widths.length * 2) / 3;
}

const SENTENCES_LOOKED_AT = 20;

/** No sentence ends, and most rows have a cell of three words or more: now and then a token has a blank too. */
function isTableOfTexts(lines: readonly string[]): boolean {
  if (hasBlank(lines)) return false;
  const withTexts = lines.filter((line) => line.includes("\t") && /\S \S+ \S/.test(line));
  return lines.length > 1 && withTexts.length > lines.length / 2;
}

function hasBlank(lines: readonly string[]): boolean {
  return lines.some((line) => line.trim() === "");
}

/**
 * Writes a sentence as {@link readConllColumns} reads it with the separator `tab`: a token a line with its tag, or
 * several, and a blank line at the end. Sentences written one after another make a file.
 *
 * @param columns [column][token], the tokens first
 * @throws ClozeError SHAPE_MISMATCH where the columns differ in length; ROW_MALFORMED for a token or tag that would not
 *   be read back: an empty one, one with a tab, line end or NUL in it, a token `-DOCSTART-`, or one without tag that
 *   begins with `# `
 */
export function formatConll(columns: readonly (readonly string[])[]): string {
  const [tokens, ...tags] = columns;
  const other = tags.find(({ length }) => length !== tokens.length);
  if (other !== undefined) {
    throw new ClozeError("SHAPE_MISMATCH", {
      problem: "A sentence's tokens and tags differ in number",
      expected: `${tokens.length} tags`,
      received: String(other.length),
      cure: "Give one tag for each token.",
    });
  }
  const rows = tokens.map((_, i) => formatRow(columns.map((column) => column[i])));
  return rows.length === 0 ? "" : `${rows.join("")}\n`;
}

function formatRow(fields: readonly string[]): string {
  const row = fields.join("\t");
  const isWhole = fields.every((field) => field !== "" && !/[\t\n\r\0]/.test(field));
  if (isWhole && row.trim() !== "" && !DOCUMENT_START.test(row) && !isComment(row)) return `${row}\n`;
  const expected =
    "text in each column, without tabs, line ends and NUL, and neither the token -DOCSTART- nor, without tags, a comment";
  throw malformedRow(`The row ${JSON.stringify(fields)}`, expected, "what cannot be written");
}
