import { createReadStream, fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { ClozeError } from "../base/errors.ts";
import { folderError, readError, systemCode } from "./file-errors.node.ts";
import { decodeUtf8, splitLines } from "./text-lines.ts";

const CHUNK_BYTES = 1 << 18;

/** A file, or standard input, that is open for reading from its start, once. */
export interface OpenFile {
  /** Its path, or what standard input is called: names it in errors. */
  readonly name: string;
  /** Whether any part of it can be read as it lies under its name: it is no pipe, and not compressed. */
  readonly seekable: boolean;
  /** The content, decompressed, in chunks of any size. Ending the iteration closes the file. */
  readonly chunks: AsyncGenerator<Uint8Array>;
}

/**
 * Opens a file, a pipe or, without a path, standard input, whose content may be compressed with gzip (RFC 1952, of one or
 * several members), which its first two bytes say and not its name.
 *
 * @throws ClozeError FILE_MISSING; while reading also GZIP_TRUNCATED, GZIP_MALFORMED
 */
export async function openFile(path: string | undefined): Promise<OpenFile> {
  const name = path ?? "standard input";
  const [head, chunks] = await peek(path === undefined ? standardInput() : storedChunks(path), 2);
  if (head[0] === 0x1f && head[1] === 0x8b) return { name, seekable: false, chunks: gunzip(name, chunks) };
  return { name, seekable: path !== undefined && (await isRegular(path)), chunks };
}

/**
 * Reads a text file, gzip or not, as strict UTF-8 in pieces of any length. A byte order mark is dropped; NUL is a
 * character like any other.
 *
 * @throws ClozeError FILE_MISSING, FORMAT_UNKNOWN, INVALID_UTF8, GZIP_TRUNCATED, GZIP_MALFORMED
 */
export async function* openText(path: string): AsyncGenerator<string> {
  const { chunks } = await openFile(path);
  yield* decodeUtf8(path, chunks);
}

/**
 * Reads a text file, gzip or not, line by line, without the line ends (LF or CRLF). Holds one line at a time.
 *
 * @throws ClozeError FILE_MISSING, FORMAT_UNKNOWN, INVALID_UTF8, GZIP_TRUNCATED, GZIP_MALFORMED, ROW_MALFORMED (an endless
 *   line)
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  yield* splitLines(path, openText(path));
}

/** The first `length` bytes of a stream, or more, or all that there are, and the stream from its start. */
export async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  length: number,
): Promise<[head: Uint8Array, chunks: AsyncGenerator<Uint8Array>]> {
  const seen: Uint8Array[] = [];
  for (let bytes = 0; bytes < length; ) {
    const next = await chunks.next();
    if (next.done) break;
    seen.push(next.value);
    bytes += next.value.length;
  }
  async function* fromStart() {
    try {
      yield new Uint8Array(0);
      yield* seen;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  }
  const all = fromStart();
  await all.next(); // a generator that was never begun would not close its source when it is ended
  return [seen.length === 1 ? seen[0] : Buffer.concat(seen), all];
}

/** No pipe. */
async function isRegular(path: string): Promise<boolean> {
  const status = await stat(path).catch((error) => {
    throw readError(path, error);
  });
  return status.isFile();
}

async function* storedChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (error) {
    throw readError(path, error);
  }
}

async function* standardInput(): AsyncGenerator<Uint8Array> {
  if (isFolderAtInput()) throw folderError("standard input");
  try {
    yield* process.stdin;
  } catch (error) {
    throw readError("standard input", error);
  }
}

/** Of a folder (`cloze predict model < folder`) Node makes an empty stream. */
function isFolderAtInput(): boolean {
  try {
    return fstatSync(0).isDirectory();
  } catch {
    return false; // closed, or of a kind that Windows does not tell
  }
}

async function* gunzip(path: string, compressed: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const plain = createGunzip({ chunkSize: CHUNK_BYTES });
  pipeline(compressed, plain, () => {}); // a failure destroys `plain`, which then throws it below
  try {
    yield* plain;
  } catch (error) {
    if (error instanceof ClozeError) throw error;
    const truncated = systemCode(error) === "Z_BUF_ERROR";
    throw new ClozeError(truncated ? "GZIP_TRUNCATED" : "GZIP_MALFORMED", {
      problem: truncated ? `${path} ends in the middle of its gzip stream` : `${path} is damaged gzip`,
      received: error instanceof Error ? error.message : String(error),
      cure: "Download or copy it again.",
      cause: error,
    });
  }
}
