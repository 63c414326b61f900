import { addAbortSignal } from "node:stream";
import type { Command } from "commander";
import { readInputs } from "../tasks/readers/inputs.node.ts";
import type { InputCounts } from "../tasks/run/input-chunks.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";
import { abortOnInterrupt } from "./exit.ts";
import { showCount } from "./progress.ts";

/** The texts that a command was given, as they come. */
export interface TextStream {
  readonly inputs: AsyncIterable<TextInput>;
  readonly counts: InputCounts;
  /** Fires at Ctrl-C, also where it waits for standard input. */
  readonly signal: AbortSignal;
}

type Reading = Parameters<typeof readInputs>[1] & { readonly input?: string };

/** Texts and --input together are wrong usage. */
export function requireOneSource(texts: readonly string[], { input }: { input?: string }, command: Command): void {
  if (texts.length > 0 && input !== undefined) command.error("error: give texts or --input, not both");
}

/** Texts from the command line, from --input or, without either, from standard input. */
export function openTexts(texts: readonly string[], options: Reading): TextStream {
  const counts = { texts: 0, skipped: 0, truncated: 0 };
  const inputs = readInputs(texts.length > 0 ? texts : options.input, options, counts);
  const signal = abortOnInterrupt();
  if (texts.length === 0 && options.input === undefined) addAbortSignal(signal, process.stdin);
  return { inputs, counts, signal };
}

/** Passes chunks on and shows how many texts they have had. */
export async function* withProgress<T>(
  what: string,
  chunks: AsyncIterable<T>,
  { counts }: Pick<TextStream, "counts">,
): AsyncGenerator<T> {
  const progress = showCount(what, "texts");
  try {
    for await (const chunk of chunks) {
      progress.update(counts.texts);
      yield chunk;
    }
  } finally {
    progress.stop();
  }
}

/** Says on standard error what was left out and cut. */
export function reportCounts({ skipped, truncated }: InputCounts): void {
  if (skipped > 0) console.error(`${skipped} without text skipped`);
  if (truncated > 0) console.error(`${truncated} longer than the maximum length, cut`);
}
