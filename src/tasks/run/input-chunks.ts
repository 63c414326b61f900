import type { InputCounts } from "./input-counts.ts";

/** Inputs worked on together: enough for batches of like length, few enough for a file of any size. */
const CHUNK = 1024;

/** Characters of them at which there are enough: 1,024 books would not fit into memory. */
const CHUNK_CHARACTERS = 4_000_000;

/** Works on inputs chunk by chunk, as they come, and counts them. */
export async function* inputChunks<Input, R extends { readonly truncated: number }>(
  inputs: AsyncIterable<Input>,
  work: (chunk: readonly Input[]) => Promise<R>,
  counts: Pick<InputCounts, "texts" | "truncated">,
): AsyncGenerator<{ readonly chunk: readonly Input[]; readonly result: R }> {
  let chunk: Input[] = [];
  let characters = 0;
  const finish = async () => {
    const done = { chunk, result: await work(chunk) };
    counts.texts += chunk.length;
    counts.truncated += done.result.truncated;
    chunk = [];
    characters = 0;
    return done;
  };
  for await (const input of inputs) {
    chunk.push(input);
    characters += charactersOf(input);
    if (chunk.length === CHUNK || characters >= CHUNK_CHARACTERS) yield await finish();
  }
  if (chunk.length > 0) yield await finish();
}

/** Those of all texts in a value, wherever they are in it. */
function charactersOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + charactersOf(part), 0);
}
