/**
 * Files and folders that appear whole or not at all.
 *
 * What is written goes to a staging name in the same folder, `.NAME.new-PID-RANDOM`, is flushed to the disk, and takes
 * its place by a rename, which POSIX makes atomic. A file can be renamed over its predecessor. A folder cannot, so the
 * predecessor first steps aside as `.NAME.old-PID-RANDOM`. It does so only once its successor is complete and flushed,
 * which gives the recovery rule: where NAME is missing and an `old` exists, the `new` of the same PID-RANDOM is
 * complete and takes the place. {@link recoverAtomicWrite} applies it and removes what killed writers left.
 */
import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ClozeError } from "../base/errors.ts";
import { isDiskFull, systemCode, writeError, writing } from "./file-errors.node.ts";

/** The content of a file: whole, or in chunks. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const onWindows = process.platform === "win32";

/** The ids of the writes under way in this thread; recovery leaves theirs alone. */
const underWay = new Set<string>();

/** A file that is being written under its staging name. */
export interface StagedFile {
  /** Writes behind what is there. */
  append(bytes: string | Uint8Array): Promise<void>;
  /** Writes over bytes that were appended before, from `position` on. */
  overwrite(bytes: Uint8Array, position: number): Promise<void>;
}

/**
 * Writes a file atomically and durably: afterwards `path` holds all of `content`, or, after an error or a kill, exactly
 * what it held before. (Where the disk fails in the last step, the flush of the folder, the new content stands, but may not
 * outlive a power failure.) A symbolic link is replaced, not followed. The folder must exist.
 *
 * @throws ClozeError DISK_FULL, FILE_NOT_WRITABLE, and whatever `content` throws while it is read
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  await fillFileAtomic(path, async (file) => {
    const chunks = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
    for await (const chunk of chunks) await file.append(chunk);
  });
}

/**
 * Writes a file as {@link writeFileAtomic} does, but with what `fill` does to the empty file that it is given: for
 * formats whose first bytes are known last.
 *
 * @throws ClozeError DISK_FULL, FILE_NOT_WRITABLE, and whatever `fill` throws
 */
export async function fillFileAtomic(path: string, fill: (file: StagedFile) => Promise<void>): Promise<void> {
  const target = resolve(path);
  await refuseUnless(target, "a regular file", (found) => found.isFile() || found.isSymbolicLink());
  await viaStaging(target, async (staging) => {
    const file = await writing(target, open(staging, "wx"));
    try {
      await fill({
        append: (bytes) => writing(target, file.writeFile(bytes)),
        async overwrite(bytes, position) {
          for (let done = 0; done < bytes.length; ) {
            const write = file.write(bytes, done, bytes.length - done, position + done);
            done += (await writing(target, write)).bytesWritten;
          }
        },
      });
      await writing(target, file.sync());
    } finally {
      await file.close();
    }
    await writing(target, rename(staging, target));
    await writing(target, flush(dirname(target), "folder"));
  });
}

/**
 * Writes a folder atomically and durably: `fill` writes into the empty folder that it is given, which then becomes
 * `path`, in place of any folder there. A kill leaves the old or the new one in place or recoverable, see
 * {@link recoverAtomicWrite}. The folder around `path` must exist.
 *
 * @throws ClozeError DISK_FULL (from `fill` too), FILE_NOT_WRITABLE, and whatever else `fill` throws
 */
export async function writeFolderAtomic(path: string, fill: (stagingPath: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const replacing = await refuseUnless(target, "a folder", (found) => found.isDirectory());
  await viaStaging(target, async (staging, aside) => {
    await writing(target, mkdir(staging));
    await fill(staging);
    await writing(target, flushTree(staging));
    if (replacing) await writing(target, rename(target, aside));
    try {
      await writing(target, rename(staging, target));
    } catch (error) {
      if (replacing) await rename(aside, target).catch(() => {}); // else recovery does it
      throw error;
    }
    await writing(target, flush(dirname(target), "folder"));
    await rm(aside, { recursive: true, force: true }).catch(() => {}); // the new one stands; recovery removes the rest
  });
}

/**
 * Finishes or undoes what killed writers of `path`, a file or a folder, left behind: puts a folder that was caught
 * between its two renames into place, then deletes the other leftovers. Writes under way in this thread and those of
 * living processes of this machine are left alone. To be called before looking for `path`, by whoever writes it.
 *
 * @throws ClozeError FILE_NOT_WRITABLE
 */
export async function recoverAtomicWrite(path: string): Promise<void> {
  const target = resolve(path);
  const stale = await staleLeftovers(target);
  for (const { id, role } of stale) {
    if (role !== "old" || (await exists(target))) continue;
    const successor = leftoverPath(target, "new", id);
    const whole = (await exists(successor)) ? successor : leftoverPath(target, "old", id);
    await writing(target, rename(whole, target));
  }
  for (const { id, role } of stale) {
    await writing(target, rm(leftoverPath(target, role, id), { recursive: true, force: true }));
  }
  if (stale.length > 0) await writing(target, flush(dirname(target), "folder"));
}

/** {@link recoverAtomicWrite} for everything in a folder, or for the names that `concerns` holds for. */
export async function recoverAtomicWrites(
  folder: string,
  concerns: (name: string) => boolean = () => true,
): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    if (systemCode(error) === "ENOENT") return [];
    throw writeError(folder, error);
  });
  const targets = names.flatMap((name) => /^\.(.+)\.(?:new|old)-\d+-[0-9a-f]{12}$/.exec(name)?.[1] ?? []);
  for (const target of new Set(targets.filter(concerns))) await recoverAtomicWrite(join(folder, target));
}

/** Runs `fill` with a fresh staging path and the path for a predecessor to step aside to; cleans up where it throws. */
async function viaStaging(target: string, fill: (staging: string, aside: string) => Promise<void>): Promise<void> {
  const id = `${process.pid}-${randomBytes(6).toString("hex")}`;
  const staging = leftoverPath(target, "new", id);
  underWay.add(id);
  try {
    await fill(staging, leftoverPath(target, "old", id));
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the first error is the one to report
    throw isDiskFull(error) ? writeError(target, error) : error;
  } finally {
    underWay.delete(id);
  }
}

type Role = "new" | "old";

function leftoverPath(target: string, role: Role, id: string): string {
  return join(dirname(target), `.${basename(target)}.${role}-${id}`);
}

/** The leftovers of `target` whose writer is gone. */
async function staleLeftovers(target: string): Promise<{ role: Role; id: string }[]> {
  const prefix = `.${basename(target)}.`;
  const names = await readdir(dirname(target)).catch((error) => {
    if (systemCode(error) === "ENOENT") return [];
    throw writeError(target, error);
  });
  return names.flatMap((name) => {
    const match = name.startsWith(prefix) ? /^(new|old)-((\d+)-[0-9a-f]{12})$/.exec(name.slice(prefix.length)) : null;
    if (match === null || underWay.has(match[2]) || isOtherLivingProcess(Number(match[3]))) return [];
    return [{ role: match[1] === "new" ? "new" : "old", id: match[2] }];
  });
}

function isOtherLivingProcess(pid: number): boolean {
  if (pid === process.pid) return false; // a predecessor with our number, as in a restarted container
  try {
    return process.kill(pid, 0); // signal 0 only asks
  } catch (error) {
    return systemCode(error) === "EPERM"; // it lives, and is someone else's
  }
}

/** Whether something is at `target`; throws FILE_NOT_WRITABLE where that is not what may be replaced. */
async function refuseUnless(
  target: string,
  expected: string,
  replaceable: (found: Awaited<ReturnType<typeof lstat>>) => boolean,
): Promise<boolean> {
  const found = await lstat(target).catch(() => undefined);
  if (found === undefined || replaceable(found)) return found !== undefined;
  throw new ClozeError("FILE_NOT_WRITABLE", {
    problem: `${target} cannot be replaced`,
    expected: `${expected}, or nothing there`,
    received: found.isDirectory() ? "a folder" : found.isFile() ? "a regular file" : "a device, pipe, socket or link",
    cure: "Name another path.",
  });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Flushes everything in a folder, then the folder itself, to the disk. */
async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(path);
    else if (entry.isFile()) await flush(path, "file");
  }
  await flush(folder, "folder");
}

/** Makes the entry of a new file in its folder outlive a power failure. Throws DISK_FULL, FILE_NOT_WRITABLE. */
export async function flushEntry(path: string): Promise<void> {
  await writing(path, flush(dirname(path), "folder"));
}

/** fsync by name. Windows cannot open a folder, and wants a file open for writing. */
async function flush(path: string, kind: "file" | "folder"): Promise<void> {
  if (kind === "folder" && onWindows) return;
  const handle = await open(path, onWindows ? "r+" : "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
