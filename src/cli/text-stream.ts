import { addAbortSignal } from "node:stream";
import type { Command } from "commander";
import { readInputs } from "../tasks/readers/inputs.node.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";
import { abortOnInterrupt } from "./exit.ts";
import { showCount } from "./progress.ts";

/** What became of the texts of a command. */
export interface TextCounts {
  texts: number;
  skipped: number;
  truncated: number;
}

/** The texts that a command was given, as they come. */
export interface TextStream<Input = TextInput> {
  readonly inputs: AsyncIterable<Input>;
  readonly counts: TextCounts;
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

/** Texts worked on together: enough for batches of like length, few enough for a file of any size. */
const CHUNK = 1024;

/** Works on the texts chunk by chunk, and counts them. */
export async function* inChunks<Input, R extends { readonly truncated: number }>(
  { inputs, counts }: TextStream<Input>,
  work: (chunk: readonly Input[]) => Promise<R>,
): AsyncGenerator<{ readonly chunk: readonly Input[]; readonly result: R }> {
  let chunk: Input[] = [];
  const finish = async () => {
    const done = { chunk, result: await work(chunk) };
    counts.texts += chunk.length;
    counts.truncated += done.result.truncated;
    chunk = [];
    return done;
  };
  for await (const input of inputs) {
    chunk.push(input);
    if (chunk.length === CHUNK) yield await finish();
  }
  if (chunk.length > 0) yield await finish();
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
export function reportCounts({ skipped, truncated }: TextCounts): void {
  if (skipped > 0) console.error(`${skipped} empty texts skipped`);
  if (truncated > 0) console.error(`${truncated} texts longer than the maximum length, cut`);
}
