import { ClozeError } from "../base/errors.ts";
import { malformedRow } from "./table-row.ts";
import { splitLines } from "./text-lines.ts";

/** A sentence that comes as tokens. */
export interface ConllSentence {
  tokens: string[];
  /** The line, from 1, of the first token. */
  line: number;
  /** How many `-DOCSTART-` lines stand before it. */
  document: number;
}

/** A sentence with a tag for each of its tokens. */
export interface TaggedSentence extends ConllSentence {
  tags: string[];
}

/** What stands between columns: one tab, or one or more spaces. */
export type ConllSeparator = "tab" | "space";

/** A sentence's columns, [column][token], in the order in which they were asked for. */
export interface ConllColumns extends Omit<ConllSentence, "tokens"> {
  columns: string[][];
}

export interface ColumnChoice {
  separator: ConllSeparator;
  /** The columns to read, the tokens' and perhaps the tags', from 0 or, where negative, from the end. */
  columns: readonly number[];
}

const NAMES = ["token", "tag"];

/**
 * Reads the chosen columns of a file in the manner of CoNLL's shared tasks: a token a line, with columns about it, and
 * blank lines between sentences. A line that begins with `-DOCSTART-` begins a document and is no token. In a file with
 * tabs, a line without one that begins with `# ` is a comment, as in CoNLL-U; anywhere else `#` is a token. The rows
 * that CoNLL-U has for multiword and empty tokens are rows like any other.
 *
 * @param path names the source in errors
 * @throws ClozeError ROW_MALFORMED for a row that has more or fewer columns than the first, or nothing in a column that
 *   is read, and for an endless line; COLUMN_MISSING
 */
export async function* readConllColumns(
  path: string,
  text: AsyncIterable<string>,
  { separator, columns }: ColumnChoice,
): AsyncGenerator<ConllColumns> {
  let first: { line: number; width: number; indexes: number[] } | undefined;
  let sentence: ConllColumns | undefined;
  let document = 0;
  let line = 0;
  for await (const content of splitLines(path, text)) {
    line++;
    const begins = DOCUMENT_START.test(content);
    if (begins || content.trim() === "") {
      if (sentence !== undefined) yield sentence;
      sentence = undefined;
      if (begins) document++;
      continue;
    }
    if (separator === "tab" && content.startsWith("# ") && !content.includes("\t")) continue;
    const fields = separator === "tab" ? content.split("\t") : splitAtSpaces(content);
    const place = `${path}, line ${line}`;
    first ??= { line, width: fields.length, indexes: findIndexes(place, fields.length, columns) };
    if (fields.length !== first.width) {
      throw malformedRow(place, `${count(first.width)}, as in line ${first.line}`, String(fields.length));
    }
    sentence ??= { columns: columns.map(() => []), line, document };
    for (const [i, index] of first.indexes.entries()) {
      if (fields[index] === "") throw malformedRow(place, `a ${NAMES[i]} in column ${index}`, "nothing");
      sentence.columns[i].push(fields[index]);
    }
  }
  if (sentence !== undefined) yield sentence;
}

const DOCUMENT_START = /^-DOCSTART-(?:[ \t]|$)/;

/** The fields of a line, after which there may be more spaces. */
function splitAtSpaces(line: string): string[] {
  const fields = line.split(/ +/);
  return fields.at(-1) === "" ? fields.slice(0, -1) : fields;
}

/** The indexes from 0 of the columns asked for, in rows of `width` columns. */
function findIndexes(place: string, width: number, columns: readonly number[]): number[] {
  const indexes = columns.map((column) => {
    const index = column < 0 ? width + column : column;
    if (index >= 0 && index < width) return index;
    throw new ClozeError("COLUMN_MISSING", {
      problem: `${place} has no column ${column}`,
      expected: `a column from 0 to ${width - 1}, or from -1 to -${width}, counted from the end`,
      cure: "Choose one of the columns that are there.",
    });
  });
  if (indexes[0] === indexes[1]) throw malformedRow(place, "a token and a tag, in columns of their own", count(width));
  return indexes;
}

/** The separator of a file that begins with `head`: a tab where there is one. */
export function separatorOf(head: string): ConllSeparator {
  return head.includes("\t") ? "tab" : "space";
}

/**
 * What else a file is that begins with `head`: JSON, or CSV where tokens with tags were to come. (A tab-separated table
 * looks no different from a CoNLL file.)
 */
export function otherFormatOf(head: string, { tagged }: { tagged: boolean }): string | undefined {
  if (/^\s*(?:\[\s*)?\{\s*"[^"]*"\s*:/.test(head)) return "JSON";
  const firstLine = head.trimStart().split(/\r?\n/, 1)[0];
  return tagged && firstLine.includes(",") && !/[ \t]/.test(firstLine) ? "CSV" : undefined;
}

/**
 * Writes sentences as {@link readConllColumns} reads them: token, tab and tag a line, and a blank line after each
 * sentence. Pieces written one after another make one file.
 *
 * @throws ClozeError SHAPE_MISMATCH where tokens and tags differ in number; ROW_MALFORMED for a token or tag that would
 *   not be read back: an empty one, one with a tab or line end in it, or a token `-DOCSTART-`
 */
export function formatConll(sentences: Iterable<Pick<TaggedSentence, "tokens" | "tags">>): string {
  let text = "";
  for (const { tokens, tags } of sentences) {
    if (tokens.length !== tags.length) {
      throw new ClozeError("SHAPE_MISMATCH", {
        problem: "A sentence's tokens and tags differ in number",
        expected: `${tokens.length} tags`,
        received: String(tags.length),
        cure: "Give one tag for each token.",
      });
    }
    for (const [i, token] of tokens.entries()) text += formatRow(token, tags[i]);
    if (tokens.length > 0) text += "\n";
  }
  return text;
}

function formatRow(token: string, tag: string): string {
  const row = `${token}\t${tag}`;
  const broken = /[\t\n\r]/.test(token + tag);
  if (token !== "" && tag.trim() !== "" && !broken && !DOCUMENT_START.test(row)) return `${row}\n`;
  const expected = "text in both, without tabs and line ends, and another token than -DOCSTART-";
  throw malformedRow(
    `Token ${JSON.stringify(token)} with tag ${JSON.stringify(tag)}`,
    expected,
    "what cannot be written",
  );
}

function count(columns: number): string {
  return columns === 1 ? "1 column" : `${columns} columns`;
}
