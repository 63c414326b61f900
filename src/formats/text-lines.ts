import { ClozeError } from "../base/errors.ts";
import { refuseBinary } from "./binary.ts";

/** The longest line, in UTF-16 units: half of what a V8 string holds. */
export const MAX_LINE_LENGTH = 2 ** 28;

const NEWLINE = 0x0a;

/** The beginning of a file, where NUL tells that it is no text. */
const HEAD_BYTES = 4096;

/**
 * Decodes UTF-8 strictly; a byte order mark at the start is dropped. NUL is a character like any other.
 *
 * @param path names the source in errors
 * @throws ClozeError INVALID_UTF8, with the line and the byte (from 0, of the decompressed text) of the first fault;
 *   FORMAT_UNKNOWN where the first chunk begins as that of a format does that is no text, or has NUL near its beginning and
 *   the text is not UTF-8
 */
export async function* decodeUtf8(path: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let offset = 0;
  let line = 1;
  let hasNul = false;
  let carried = new Uint8Array(0); // the bytes of a character that the chunks cut in two
  const decode = (bytes: Uint8Array): string => {
    try {
      const text = decoder.decode(bytes);
      return offset === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
    } catch (error) {
      if (hasNul && !(offset === 0 && isUtf16(bytes))) throw noText(path, error);
      const valid = validPrefix(bytes);
      const at = { offset: offset + valid, line: line + countNewlines(bytes.subarray(0, valid)) };
      throw invalidUtf8(path, bytes.subarray(valid), at, error);
    }
  };
  for await (const chunk of chunks) {
    if (offset === 0) refuseBinary(path, chunk);
    if (offset < HEAD_BYTES) hasNul ||= chunk.subarray(0, HEAD_BYTES - offset).includes(0);
    const bytes = carried.length === 0 ? chunk : concatenate(carried, chunk);
    const whole = bytes.subarray(0, bytes.length - unfinished(bytes));
    const text = decode(whole);
    carried = bytes.slice(whole.length);
    offset += whole.length;
    line += countNewlines(whole);
    if (text !== "") yield text;
  }
  decode(carried);
}

/**
 * Splits text into lines that end with LF or CRLF; the last line needs no end. A lone CR is part of its line.
 *
 * @param path names the source in errors
 * @throws ClozeError ROW_MALFORMED for a line of more than {@link MAX_LINE_LENGTH} UTF-16 units
 */
export async function* splitLines(path: string, texts: AsyncIterable<string>): AsyncGenerator<string> {
  let parts: string[] = []; // of the line that is not yet complete
  let length = 0;
  let line = 1;
  for await (const text of texts) {
    const pieces = text.split("\n");
    for (let i = 0; i < pieces.length; i++) {
      if (i > 0) {
        yield withoutCarriageReturn(parts.join(""));
        parts = [];
        length = 0;
        line++;
      }
      length += pieces[i].length;
      if (length > MAX_LINE_LENGTH) throw tooLong(path, line);
      parts.push(pieces[i]);
    }
  }
  if (length > 0) yield withoutCarriageReturn(parts.join(""));
}

/** Turns every CRLF into LF, and drops a CR at the very end, as {@link splitLines} does. */
export async function* withPlainLineEnds(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let held = ""; // a CR whose LF may come with the next text
  for await (const text of texts) {
    const joined = held + text;
    held = joined.endsWith("\r") ? "\r" : "";
    yield joined.slice(0, joined.length - held.length).replaceAll("\r\n", "\n");
  }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** How many bytes at the end begin a character that they do not complete. */
function unfinished(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return byte >= [0xc0, 0xe0, 0xf0][length - 1] ? length : 0; // a first byte says how many follow
  }
  return 0;
}

/** How many bytes come before the first fault, found by bisection. */
function validPrefix(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length + 1; // whole bytes may be valid, and only the end of a character be missing
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return valid - unfinished(bytes.subarray(0, valid));
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

function concatenate(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

/** The error for `bytes` that begin with the first faulty byte. */
function invalidUtf8(
  path: string,
  bytes: Uint8Array,
  { offset, line }: { offset: number; line: number },
  cause: unknown,
): ClozeError {
  const utf16 = offset === 0 && isUtf16(bytes);
  return new ClozeError("INVALID_UTF8", {
    problem: `${path} is not UTF-8: see line ${line}, byte ${offset}`,
    received: utf16 ? "the byte order mark of UTF-16" : `byte 0x${bytes[0].toString(16)} where it stops making sense`,
    cure: `Convert it, for example with: iconv -f ${utf16 ? "UTF-16" : "WINDOWS-1252"} -t UTF-8.`,
    cause,
  });
}

/** Whether bytes begin with the mark of UTF-16. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

function noText(path: string, cause: unknown): ClozeError {
  return new ClozeError("FORMAT_UNKNOWN", {
    problem: `${path} is no text`,
    expected: "text in UTF-8",
    received: "bytes with NUL among them",
    cure: "Name a file of text.",
    cause,
  });
}

function tooLong(path: string, line: number): ClozeError {
  return new ClozeError("ROW_MALFORMED", {
    problem: `${path}, line ${line} has no end`,
    expected: `at most ${MAX_LINE_LENGTH} characters a line`,
    cure: "Check that it is a text file.",
  });
}
