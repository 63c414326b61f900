import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writing } from "./file-errors.node.ts";
import { openRecordFile, type PlacedRecord } from "./record-file.node.ts";
import { encodeEvent, fileVersionEvent, type ScalarEvent, wholeEvents } from "./tensorboard.ts";

export interface EventFileOptions {
  /** The step from which a training goes on; without it the folder's curves begin anew. */
  readonly keepThrough?: number;
}

/** An event file that is open for writing. Calls take effect in their order; after one that failed, all fail. */
export interface EventFile {
  readonly path: string;
  /**
   * Writes the scalars of a step, as of now unless `wallTime` says else. Once this is done, they outlive this process.
   *
   * @throws ClozeError DISK_FULL, FILE_NOT_WRITABLE; OPTION_INVALID for a step before that of the last event
   */
  append(event: Omit<ScalarEvent, "wallTime"> & { readonly wallTime?: number }): Promise<void>;
  /** Waits until what was appended would outlive a power failure; to be called before a checkpoint is saved. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the event file of a folder, `events.out.tfevents.SECONDS.cloze`. TensorBoard shows a folder as one run.
 *
 * There is one such file a folder, since TensorBoard never returns to a file once it has seen a later one. With
 * `keepThrough` the file that is there goes on behind its last whole event up to that step, so that no point is there
 * twice; without, files of this form are removed first. The folder must exist.
 *
 * @throws ClozeError EVENTS_MALFORMED, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function openEventFile(folder: string, { keepThrough }: EventFileOptions = {}): Promise<EventFile> {
  const found = await eventFiles(folder);
  const former = keepThrough === undefined ? undefined : found.at(-1);
  if (keepThrough === undefined) for (const path of found) await writing(path, rm(path));
  const path = former ?? join(folder, `events.out.tfevents.${Math.floor(now())}.cloze`);
  const file = await openRecordFile(path, { keepThrough, records: (bytes) => placedEvents(bytes, path) });
  try {
    if (file.isNew) await file.append(0, fileVersionEvent(now()));
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    path,
    append: async ({ wallTime = now(), step, scalars }) => {
      await file.append(step, encodeEvent({ wallTime, step, scalars }));
    },
    flush: () => file.flush(),
    close: () => file.close(),
  };
}

/** The paths of the event files that Cloze wrote into a folder, the latest last. */
async function eventFiles(folder: string): Promise<string[]> {
  const names = await writing(folder, readdir(folder));
  const secondsOf = (name: string) => Number(/^events\.out\.tfevents\.(\d+)\.cloze$/.exec(name)?.[1]);
  const ours = names.filter((name) => !Number.isNaN(secondsOf(name)));
  return ours.sort((a, b) => secondsOf(a) - secondsOf(b)).map((name) => join(folder, name));
}

function* placedEvents(bytes: Uint8Array, path: string): Generator<PlacedRecord> {
  for (const { event, end } of wholeEvents(bytes, path)) yield { step: event.step, end };
}

/** Seconds since 1970. */
function now(): number {
  return Date.now() / 1000;
}
