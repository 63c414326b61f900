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
    requireCall(form, input, options);
    const single = !isList(input);
    const results = await inChunks(
      single ? [input] : input,
      async (chunk) => (await answer(chunk, { ...options, onProgress: undefined })).results, // told of chunk by chunk
      options,
    );
    return single ? results[0] : results;
  }
  return Object.assign(run, { dispose });
}

/** Inputs between two progress calls. */
const CHUNK = 256;

/** Answers inputs chunk by chunk and tells of the progress after each; a signal stops between them. */
export async function inChunks<I, O>(
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
