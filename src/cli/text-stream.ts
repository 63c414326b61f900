import { addAbortSignal } from "node:stream";
import type { Command } from "commander";
import { readInputs } from "../tasks/readers/inputs.node.ts";
import { InputCounts } from "../tasks/run/input-counts.ts";
import type { InputSource } from "../tasks/run/input-reader.ts";
import type { OpenPrediction } from "../tasks/run/prediction.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";
import { showCount } from "./count.ts";
import { dataNotes } from "./data-notes.ts";
import { abortOnInterrupt } from "./exit.ts";

/** What a command reads. */
interface Source {
  readonly source: InputSource;
  /** Fires at Ctrl-C, also where it waits for standard input. */
  readonly signal: AbortSignal;
}

/** The texts that a command was given, as they come. */
export interface TextStream extends Pick<Source, "signal"> {
  readonly inputs: AsyncIterable<TextInput>;
  readonly counts: InputCounts;
}

type Reading = Parameters<typeof readInputs>[1] & { readonly input?: string };

/** Texts and --input together are wrong usage. */
export function requireOneSource(texts: readonly string[], { input }: { input?: string }, command: Command): void {
  if (texts.length > 0 && input !== undefined) command.error("error: give texts or --input, not both");
}

/** Texts of the command line, --input or, without either, standard input. */
export function sourceOf(texts: readonly string[], input: string | undefined): Source {
  const source = texts.length > 0 ? texts : input;
  const signal = abortOnInterrupt();
  if (source === undefined) addAbortSignal(signal, process.stdin);
  return { source, signal };
}

/** Opens what {@link sourceOf} gives as texts. */
export function openTexts(texts: readonly string[], { input, ...reading }: Reading): TextStream {
  const { source, signal } = sourceOf(texts, input);
  const counts = new InputCounts();
  return { inputs: readInputs(source, reading, counts), counts, signal };
}

/** Passes chunks on and shows how many texts they have had. */
export async function* withProgress<T>(
  what: string,
  chunks: AsyncIterable<T>,
  { counts }: Pick<OpenPrediction, "counts">,
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

/** Says on standard error what was left out, with the first place, and cut. */
export function reportCounts(counts: OpenPrediction["counts"]): void {
  for (const note of dataNotes(counts)) console.error(note);
}
