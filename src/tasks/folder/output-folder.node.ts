import { ClozeError } from "../../base/errors.ts";
import { nameSome, openOutputFolder } from "../../formats/output-folder.node.ts";

export interface OutputOptions {
  readonly output: string;
  /** Continue what was interrupted in the output folder, bit for bit; begin where nothing was begun. */
  readonly resume?: boolean;
  /** Write into an output folder that holds something already; an interrupted training there is given up. */
  readonly overwrite?: boolean;
}

/**
 * Makes the output folder of a training; what is there stays as it is. Throws OUTPUT_NOT_EMPTY where it holds something
 * that is neither to be overwritten nor to be resumed, NOTHING_TO_RESUME where that is no training, OPTION_INVALID,
 * FILE_NOT_WRITABLE.
 */
export async function claimOutput(
  { output, resume = false, overwrite = false }: OutputOptions,
  checkpoints: { isBegun(): Promise<boolean> },
): Promise<void> {
  if (resume && overwrite) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "--resume continues what is in the output folder and --overwrite replaces it",
      cure: "Give one of them.",
    });
  }
  const found = await openOutputFolder(output);
  if (found.length === 0 || overwrite) return;
  if (!resume) {
    throw notEmpty(
      output,
      found,
      "Continue an interrupted training with --resume, replace it with --overwrite, or name another folder.",
    );
  }
  if (await checkpoints.isBegun()) return;
  throw new ClozeError("NOTHING_TO_RESUME", {
    problem: `the output folder ${output} holds no training`,
    expected: "checkpoints, the result of a training, or nothing",
    received: nameSome(found),
    cure: "Check --output, or replace what is there with --overwrite.",
  });
}

/**
 * Makes an output folder that nothing can be resumed in; what is there stays as it is. Throws OUTPUT_NOT_EMPTY where it
 * holds something that is not to be overwritten, and FILE_NOT_WRITABLE.
 */
export async function claimFolder(output: string, { overwrite = false }: { overwrite?: boolean }): Promise<void> {
  const found = await openOutputFolder(output);
  if (found.length === 0 || overwrite) return;
  throw notEmpty(output, found, "Name another folder, or overwrite what is there with --overwrite.");
}

/** The same where nothing can be overwritten. Throws OUTPUT_NOT_EMPTY, FILE_NOT_WRITABLE. */
export async function claimNewFolder(output: string): Promise<void> {
  const found = await openOutputFolder(output);
  if (found.length > 0) throw notEmpty(output, found, "Name another folder.");
}

function notEmpty(output: string, found: readonly string[], cure: string): ClozeError {
  return new ClozeError("OUTPUT_NOT_EMPTY", {
    problem: `the output folder ${output} is not empty`,
    received: nameSome(found),
    cure,
  });
}
