import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const MAIN = join(import.meta.dirname, "../dist/cli/main.js");

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built command line. */
export interface Run extends Promise<Outcome> {
  readonly child: ChildProcess;
}

interface Input {
  /** What its standard input holds. Default: nothing. */
  readonly input?: string;
  /** Leaves its standard input open, for the caller to write to. */
  readonly open?: boolean;
  /** A file descriptor in place of these. */
  readonly descriptor?: number;
}

/** Runs `cloze` as a user would. */
export function cloze(args: readonly string[], { input = "", open = false, descriptor }: Input = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: [descriptor ?? "pipe", "pipe", "pipe"] });
  if (!open) child.stdin?.end(input);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
    });
  }
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...text }));
  });
  return Object.assign(outcome, { child });
}
