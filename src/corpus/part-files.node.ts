import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ClozeError } from "../base/errors.ts";
import { recoverAtomicWrites } from "../formats/atomic-write.node.ts";
import { writeError } from "../formats/file-errors.node.ts";
import { nameSome, openOutputFolder } from "../formats/output-folder.node.ts";
import { type Part, partOfFile } from "./manifest.ts";

/**
 * Makes the output folder of a part of a corpus, in which other parts of the same corpus may lie or be under way, and
 * removes what killed writers of this part left half-written. Returns the names of this part's files, which stay.
 *
 * @throws ClozeError OUTPUT_NOT_EMPTY where the folder holds this part, or anything that is no part of the corpus, and
 *   `overwrite` is not set, or another division into parts in any case; FILE_NOT_WRITABLE
 */
export async function claimPart(folder: string, part: Part, { overwrite }: { overwrite: boolean }): Promise<string[]> {
  const names = await openOutputFolder(folder);
  const otherwise = names.filter((name) => (partOfFile(name)?.of ?? part.of) !== part.of);
  if (otherwise.length > 0) {
    throw notEmpty(
      folder,
      otherwise,
      `another division than into ${part.of}`,
      "Name another folder, or empty this one.",
    );
  }
  const own = names.filter((name) => isOf(part, name));
  const foreign = names.filter((name) => partOfFile(name) === undefined);
  if (!overwrite && own.length + foreign.length > 0) {
    const what = own.length > 0 ? `part ${part.index} of ${part.of}, maybe unfinished` : "something else";
    throw notEmpty(folder, [...own, ...foreign], what, "Replace it with --overwrite, or name another folder.");
  }
  await recoverAtomicWrites(folder, (name) => isOf(part, name)); // other machines may be writing other parts
  return own.filter((name) => !name.startsWith("."));
}

/** Removes the files of a part other than those to keep. */
export async function removePartFiles(folder: string, part: Part, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await openOutputFolder(folder)) {
    if (!isOf(part, name) || keep.has(name)) continue;
    await rm(join(folder, name), { force: true }).catch((error) => {
      throw writeError(join(folder, name), error);
    });
  }
}

function isOf({ index, of }: Part, name: string): boolean {
  const found = partOfFile(name);
  return found?.index === index && found.of === of;
}

function notEmpty(folder: string, names: readonly string[], what: string, cure: string): ClozeError {
  return new ClozeError("OUTPUT_NOT_EMPTY", {
    problem: `the output folder ${folder} holds ${what}`,
    received: nameSome(names),
    cure,
  });
}
