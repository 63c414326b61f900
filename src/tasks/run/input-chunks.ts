/** What became of the inputs of a command. */
export interface InputCounts {
  texts: number;
  skipped: number;
  truncated: number;
}

/** Inputs worked on together: enough for batches of like length, few enough for a file of any size. */
const CHUNK = 1024;

/** Works on inputs chunk by chunk, as they come, and counts them. */
export async function* inputChunks<Input, R extends { readonly truncated: number }>(
  inputs: AsyncIterable<Input>,
  work: (chunk: readonly Input[]) => Promise<R>,
  counts: InputCounts,
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
