import { open, readFile, truncate } from "node:fs/promises";
import { ClozeError } from "../base/errors.ts";
import { flushEntry } from "./atomic-write.node.ts";
import { systemCode, writeError, writing } from "./file-errors.node.ts";

/** A record as it lies in a file. */
export interface PlacedRecord {
  /** The step of the training that it tells of. */
  readonly step: number;
  /** The place behind it, in bytes from the start of the file. */
  readonly end: number;
}

export interface RecordFileOptions {
  /** The step from which a training goes on; without it the file begins anew. */
  readonly keepThrough?: number;
  /** The records of a file in their order, but not one at its end that is cut off. Its errors are passed on. */
  readonly records: (bytes: Uint8Array) => Iterable<PlacedRecord>;
}

/** A file that grows record by record. Calls take effect in their order; after one that failed, all fail. */
export interface RecordFile {
  /** Whether the file had nothing to keep. */
  readonly isNew: boolean;
  /**
   * Writes a record behind the others. Once this is done, the record outlives this process.
   *
   * @throws ClozeError DISK_FULL, FILE_NOT_WRITABLE; OPTION_INVALID for a step before that of the last record
   */
  append(step: number, record: Uint8Array): Promise<void>;
  /** Waits until what was appended would outlive a power failure. Throws as `append` does. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const START: PlacedRecord = { step: 0, end: 0 };

/**
 * Opens a file that a training writes its records to as it goes.
 *
 * A training that was killed goes on from its last checkpoint and will write the records behind it once more. So what
 * is there is cut off before the first record of a later step, and before one that the killed writer did not complete.
 * Records up to a checkpoint are there after any accident if the file was flushed before the checkpoint was saved.
 *
 * @throws ClozeError FILE_NOT_WRITABLE, DISK_FULL, and what `records` throws
 */
export async function openRecordFile(path: string, { keepThrough, records }: RecordFileOptions): Promise<RecordFile> {
  const last = keepThrough === undefined ? START : await cutBack(path, keepThrough, records);
  const file = await writing(path, open(path, keepThrough === undefined ? "w" : "a"));
  try {
    if (last.end === 0) await flushEntry(path);
  } catch (error) {
    await file.close();
    throw error;
  }

  // A write that fails may leave half a record, which nothing may follow: so there is one chain, which stays broken.
  let done: Promise<void> = Promise.resolve();
  const inOrder = (call: () => Promise<void>): Promise<void> => {
    done = done.then(() => writing(path, call()));
    return done;
  };
  let { step } = last;
  return {
    isNew: last.end === 0,
    async append(next, record) {
      if (!Number.isSafeInteger(next) || next < step) throw badStep(path, step, next);
      step = next;
      await inOrder(() => file.appendFile(record));
    },
    flush: () => inOrder(() => file.sync()),
    async close() {
      await done.catch(() => {}); // whoever made the call that failed knows
      await writing(path, file.close());
    },
  };
}

/** Cuts a file off behind its last record that is kept, which is returned. */
async function cutBack(
  path: string,
  keepThrough: number,
  records: (bytes: Uint8Array) => Iterable<PlacedRecord>,
): Promise<PlacedRecord> {
  const bytes = await readFile(path).catch((error) => {
    if (systemCode(error) === "ENOENT") return new Uint8Array(0);
    throw writeError(path, error);
  });
  let last = START;
  for (const record of records(bytes)) {
    if (record.step > keepThrough) break;
    last = record;
  }
  if (last.end < bytes.length) await writing(path, truncate(path, last.end));
  return last;
}

function badStep(path: string, from: number, received: number): ClozeError {
  return new ClozeError("OPTION_INVALID", {
    problem: `${path} cannot take a record of this step`,
    expected: `a whole number from ${from} on`,
    received: `${received}`,
  });
}
