import { type Command, CommanderError, type Option } from "commander";
import { ClozeError } from "../base/errors.ts";

/** 0 for help and version, 2 for a command line that cannot be understood, 1 for anything that failed. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof ClozeError && error.code === "OPTION_INVALID" ? 2 : 1;
}

/** One line for what the user can mend; the stack for a defect. Commander has printed its own errors already. */
export function printError(error: unknown, program: Command): void {
  if (error instanceof CommanderError) return;
  if (error instanceof ClozeError) {
    console.error(`cloze: ${inFlags(error.message, program)} [${error.code}]`);
    return;
  }
  console.error("cloze: an unexpected error, please report it:");
  console.error(error);
}

/** A message of the library, which calls an option `maxLength`, with the option's name here: `--max-length`. */
function inFlags(message: string, program: Command): string {
  const flags = new Map(optionsOf(program).map((option) => [option.attributeName(), option.long]));
  return message.replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, (name) => flags.get(name) ?? name);
}

function optionsOf({ options, commands }: Command): Option[] {
  return [...options, ...commands.flatMap(optionsOf)];
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
