import { ClozeError } from "../base/errors.ts";
import { refuseBinary } from "./binary.ts";
import {
  type ColumnChoice,
  type ConllSentence,
  looksLikeSentences,
  otherFormatOf,
  readConllColumns,
  separatorOf,
} from "./conll.ts";
import { looksLike, looksLikeTable } from "./looks-like.ts";
import { type OpenFile, openFile, peek } from "./text.node.ts";
import { decodeUtf8 } from "./text-lines.ts";

export interface ConllOptions extends Pick<ColumnChoice, "columns"> {
  /** As {@link ColumnChoice} has it; without this, a tab where the file's beginning has one, else spaces. */
  readonly separator?: string;
}

/** Enough for the comments before the first token. */
const HEAD_BYTES = 1 << 16;

/**
 * Reads a file, by its path or one that is open, in the manner of CoNLL's shared tasks (Tjong Kim Sang and De Meulder
 * 2003), gzip or not, sentence by sentence, as {@link readConllColumns} says. Holds one sentence at a time.
 *
 * @throws ClozeError FILE_MISSING; FILE_EMPTY for a file without tokens; FORMAT_UNKNOWN for what begins like JSON, CSV
 *   or no text; ROW_MALFORMED; COLUMN_MISSING; INVALID_UTF8; GZIP_TRUNCATED; GZIP_MALFORMED
 */
export async function* readConll(
  source: string | OpenFile,
  { separator, columns }: ConllOptions,
): AsyncGenerator<ConllSentence> {
  const file = typeof source === "string" ? await openFile(source) : source;
  const { name: path } = file;
  const [bytes, chunks] = await peek(file.chunks, HEAD_BYTES);
  try {
    refuseBinary(path, bytes, "a CoNLL file");
    const head = new TextDecoder().decode(bytes);
    const tagged = columns.length > 1;
    const noText = noTextOf(bytes);
    if (noText !== undefined) {
      throw otherFormat(path, { name: noText, cure: "Name another file, or take the NUL out." }, tagged);
    }
    const name = otherFormatOf(head, { tagged: tagged && separator === undefined });
    if (name !== undefined) throw otherFormat(path, looksLike(head) ?? looksLikeTable(head) ?? { name }, tagged);
    if (tagged && separator === undefined && looksLikeSentences(head)) throw otherFormat(path, SENTENCES, tagged);
    const choice = { separator: separator ?? separatorOf(head), columns };
    let isEmpty = true;
    for await (const sentence of readConllColumns(path, decodeUtf8(path, chunks), choice)) {
      isEmpty = false;
      yield sentence;
    }
    if (isEmpty) {
      throw new ClozeError("FILE_EMPTY", {
        problem: `${path} has no tokens`,
        cure: "Check that it was written completely.",
      });
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** Says that a file begins with NUL in it, as text does not, but for UTF-16, of which {@link decodeUtf8} says more. */
function noTextOf(head: Uint8Array): string | undefined {
  const mark = (head[0] << 8) | head[1];
  const nul = head.indexOf(0);
  if (nul < 0 || mark === 0xfffe || mark === 0xfeff) return undefined;
  const line = head.subarray(0, nul).reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 1);
  return `no text, with NUL in line ${line}`;
}

interface OtherFile {
  /** What it looks like. */
  readonly name: string;
  /** The task that reads it. */
  readonly task?: string;
  readonly cure?: string;
}

const SENTENCES: OtherFile = {
  name: "sentences, a line each, without tags",
  cure: "Name another file, or write each word on a line of its own with its tag behind it.",
};

const CONVERT = "Name another file, convert this one, or say what stands between its columns with --separator.";

function otherFormat(path: string, { name, task, cure = CONVERT }: OtherFile, tagged: boolean): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${path} is no CoNLL file`,
    expected: `a token${tagged ? ", a tab or space, and its tag" : ""} a line, and a blank line after each sentence`,
    received: `what looks like ${name}`,
    cure: task === undefined ? cure : `Such files are for ${task}; name another file, or convert this one.`,
  });
}
