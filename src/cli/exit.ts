import { CommanderError } from "commander";
import { ClozeError } from "../base/errors.ts";

/** 0 for help and version, 2 for a command line that cannot be understood, 1 for anything that failed. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof ClozeError && error.code === "OPTION_INVALID" ? 2 : 1;
}

/** One line for what the user can mend; the stack for a defect. Commander has printed its own errors already. */
export function printError(error: unknown): void {
  if (error instanceof CommanderError) return;
  if (error instanceof ClozeError) {
    console.error(`cloze: ${error.message} [${error.code}]`);
    return;
  }
  console.error("cloze: an unexpected error, please report it:");
  console.error(error);
}

/** An AbortSignal that Ctrl-C fires; a second Ctrl-C ends the program at once. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(1);
    console.error("\nstopping (Ctrl-C again: at once)");
    controller.abort(new ClozeError("ABORTED", { problem: "stopped by a signal" }));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
