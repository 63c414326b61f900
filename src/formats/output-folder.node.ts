import { access, constants, mkdir, readdir } from "node:fs/promises";
import { writeError } from "./file-errors.node.ts";

/** Makes a folder that will be written into, if need be, and lists what it holds. Throws FILE_NOT_WRITABLE, DISK_FULL. */
export async function openOutputFolder(path: string): Promise<string[]> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    return await readdir(path);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** The first few names of a folder, for messages. */
export function nameSome(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ", ..." : "");
}
