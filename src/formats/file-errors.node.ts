import { ClozeError } from "../base/errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** The code that Node gives an error, "ENOENT" say; undefined for what has none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Whether a system call failed for want of space, on the disk or in the user's quota. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(systemCode(error) ?? "");
}

/** What to throw when reading `path` failed with `error`: FILE_MISSING, whatever the system's reason. */
export function readError(path: string, error: unknown): ClozeError {
  const code = systemCode(error);
  if (code === "EISDIR") return folderError(path, error);
  const missing = code === "ENOENT" || code === "ENOTDIR"; // below a file there is nothing
  if (code === "ENOTDIR" && callOf(error) === "scandir") {
    return new ClozeError("FILE_MISSING", {
      problem: `${path} is no folder`,
      expected: "a folder",
      cure: "Name the folder that it is in.",
      cause: error,
    });
  }
  return new ClozeError("FILE_MISSING", {
    problem: missing ? `${path} does not exist` : `${path} cannot be read`,
    ...(missing ? {} : { received: reasonOf(error) }),
    cure: missing ? "Check the path." : "Check that it is a file that you may read.",
    cause: error,
  });
}

/** What to throw for a folder in place of a file that is to be read. */
export function folderError(path: string, cause?: unknown): ClozeError {
  const cure = "Name a file in it.";
  return new ClozeError("FILE_MISSING", { problem: `${path} is a folder`, expected: "a file", cure, cause });
}

/** What to throw when writing `path` failed with `error`: DISK_FULL or FILE_NOT_WRITABLE. */
export function writeError(path: string, error: unknown): ClozeError {
  const full = isDiskFull(error);
  return new ClozeError(full ? "DISK_FULL" : "FILE_NOT_WRITABLE", {
    problem: full ? `${path} was not written: the disk is full` : `${path} cannot be written`,
    received: reasonOf(error),
    cure: full
      ? "Free some space and try again; what was there before is unchanged."
      : "Check that its folder exists and that you may write there.",
    cause: error,
  });
}

/** Awaits a system call that writes `path` and throws {@link writeError} where it fails. */
export async function writing<T>(path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw writeError(path, error);
  }
}

/** The system call that failed, "open" say. */
function callOf(error: unknown): unknown {
  return error instanceof Error && "syscall" in error ? error.syscall : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
