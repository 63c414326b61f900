import { type CallForm, requireCall } from "./call-form.ts";
import type { Control } from "./control.ts";

/** A task as a function: of one input, or of a list of them, which gives a list. */
export interface TaskPipeline<I, O, Options = unknown> {
  (input: I, options?: Options & Control): Promise<O>;
  (inputs: readonly I[], options?: Options & Control): Promise<O[]>;
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

/** What a task makes of its inputs, one result each, in their order. */
export interface Answers<O> {
  readonly results: readonly O[];
  /** Inputs that were longer than the model takes and cut. */
  readonly truncated: number;
}

/** Makes a pipeline of a task that answers lists. It throws OPTION_INVALID where it is called in another form. */
export function makePipeline<I, O, Options = unknown>(
  form: CallForm<Options>,
  answer: (inputs: readonly I[], options: Partial<Options> & Control) => Promise<Answers<O>>,
  dispose: () => Promise<void>,
): TaskPipeline<I, O, Options> {
  function run(input: I, options?: Options & Control): Promise<O>;
  function run(inputs: readonly I[], options?: Options & Control): Promise<O[]>;
  async function run(input: I | readonly I[], options: Partial<Options> & Control = {}) {
    const own = { ...options, onProgress: undefined }; // told of chunk by chunk
    return answerCall(form, input, options, async (chunk) => (await answer(chunk, own)).results);
  }
  return Object.assign(run, { dispose });
}

/**
 * What a pipeline gives where it is called: for one input its result, for a list theirs. Throws OPTION_INVALID for a call of
 * another form, the signal's reason, and what `answer` throws.
 */
export async function answerCall<I, O, Options>(
  form: CallForm<Options>,
  input: I | readonly I[],
  options: Partial<Options> & Control,
  answer: (chunk: readonly I[]) => Promise<readonly O[]>,
): Promise<O | O[]> {
  requireCall(form, input, options);
  if (isList(input)) return inChunks(input, answer, options);
  const [result] = await inChunks([input], answer, options);
  return result;
}

/** Inputs between two progress calls. */
const CHUNK = 256;

/** Answers inputs chunk by chunk and tells of the progress after each; a signal stops between them. */
async function inChunks<I, O>(
  inputs: readonly I[],
  answer: (chunk: readonly I[]) => Promise<readonly O[]>,
  { signal, onProgress }: Control,
): Promise<O[]> {
  const results: O[] = [];
  for (let start = 0; start < inputs.length; start += CHUNK) {
    signal?.throwIfAborted();
    results.push(...(await answer(inputs.slice(start, start + CHUNK))));
    onProgress?.({ done: results.length, total: inputs.length });
  }
  return results;
}

/** Whether several inputs were given; no input is itself an array. */
export function isList<I>(input: I | readonly I[]): input is readonly I[] {
  return Array.isArray(input);
}
