import { ClozeError } from "../base/errors.ts";
import {
  type ConllSentence,
  type ConllSeparator,
  otherFormatOf,
  readConllColumns,
  separatorOf,
  type TaggedSentence,
} from "./conll.ts";
import { openFile, peek } from "./text.node.ts";
import { decodeUtf8 } from "./text-lines.ts";

export interface ConllOptions {
  /** Without this, a tab where the file's beginning has one, else spaces. */
  separator?: ConllSeparator;
  /** The tokens' column, from 0 or, where negative, from the end. The first, unless told. */
  tokenColumn?: number;
  /** The tags' column, likewise. The last, unless told. */
  tagColumn?: number;
  /** Whether there are tags to read; unless told, yes. */
  tagged?: boolean;
}

/** Enough for the comments before the first token. */
const HEAD_BYTES = 1 << 16;

/**
 * Reads a file in the manner of CoNLL's shared tasks (Tjong Kim Sang and De Meulder 2003), gzip or not, sentence by
 * sentence, as {@link readConllColumns} says. Holds one sentence at a time.
 *
 * @throws ClozeError FILE_MISSING; FILE_EMPTY for a file without tokens; FORMAT_UNKNOWN for what looks like JSON, CSV
 *   or no text; ROW_MALFORMED; COLUMN_MISSING; OPTION_INVALID for a column that is no integer; INVALID_UTF8;
 *   GZIP_TRUNCATED; GZIP_MALFORMED
 */
export function readConll(path: string, options: ConllOptions & { tagged: false }): AsyncGenerator<ConllSentence>;
export function readConll(path: string, options?: ConllOptions & { tagged?: true }): AsyncGenerator<TaggedSentence>;
export async function* readConll(
  path: string,
  { separator, tokenColumn = 0, tagColumn = -1, tagged = true }: ConllOptions = {},
): AsyncGenerator<ConllSentence | TaggedSentence> {
  const columns = tagged ? [tokenColumn, tagColumn] : [tokenColumn];
  for (const column of columns) checkColumn(column);
  const file = await openFile(path);
  const [bytes, chunks] = await peek(file.chunks, HEAD_BYTES);
  try {
    const head = new TextDecoder().decode(bytes);
    const other = isBinary(bytes) ? "no text" : otherFormatOf(head, { tagged });
    if (other !== undefined) throw otherFormat(path, other, tagged);
    const choice = { separator: separator ?? separatorOf(head), columns };
    let sentences = 0;
    for await (const sentence of readConllColumns(path, decodeUtf8(path, chunks), choice)) {
      const {
        line,
        document,
        columns: [tokens, tags],
      } = sentence;
      sentences++;
      yield tagged ? { tokens, tags, line, document } : { tokens, line, document };
    }
    if (sentences === 0) {
      throw new ClozeError("FILE_EMPTY", {
        problem: `${path} has no tokens`,
        cure: "Check that it was written completely.",
      });
    }
  } finally {
    await chunks.return(undefined);
  }
}

function checkColumn(column: number): void {
  if (Number.isInteger(column)) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: `There is no column ${column}`,
    expected: "an integer, from 0 or, where negative, from the end",
    cure: "Number the columns from 0, or from the end with -1, -2 and so on.",
  });
}

/** Whether a file holds NUL, which text does not, but for UTF-16, of which {@link decodeUtf8} says more. */
function isBinary(head: Uint8Array): boolean {
  const mark = (head[0] << 8) | head[1];
  return head.includes(0) && mark !== 0xfffe && mark !== 0xfeff;
}

function otherFormat(path: string, received: string, tagged: boolean): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${path} is no CoNLL file`,
    expected: `a token${tagged ? ", a tab or space, and its tag" : ""} a line, and a blank line after each sentence`,
    received: `what looks like ${received}`,
    cure: "Name another file, or convert this one.",
  });
}
