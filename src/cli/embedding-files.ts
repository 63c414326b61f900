import { extname } from "node:path";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { float32Digits } from "../formats/float32-digits.ts";
import { writeNpy } from "../formats/npy-file.node.ts";
import { writeParquet } from "../formats/parquet-writer.node.ts";
import type { TextInput } from "../tasks/run/text-or-pair.ts";

export const EMBEDDING_FORMATS = ["jsonl", "npy", "parquet"] as const;
export type EmbeddingFormat = (typeof EMBEDDING_FORMATS)[number];

/** Some texts with their embeddings, a row a text. */
export interface Embedded {
  readonly texts: readonly TextInput[];
  readonly vectors: Float32Array;
}

export interface EmbeddingFile {
  readonly format: EmbeddingFormat;
  /** Numbers in an embedding. */
  readonly width: number;
  /** Whether the texts are pairs. */
  readonly pairs: boolean;
}

/** The format that a file's name ends with. */
export function formatOf(path: string): EmbeddingFormat | undefined {
  const ending = extname(path).slice(1).toLowerCase();
  return EMBEDDING_FORMATS.find((format) => format === ending);
}

/**
 * Writes embeddings to a file as they come, whole or not at all: with their texts, in the columns `text`, `pair` where
 * they are pairs, and `embedding`; a .npy file has the embeddings alone. Throws DISK_FULL and FILE_NOT_WRITABLE.
 */
export async function writeEmbeddings(path: string, chunks: AsyncIterable<Embedded>, file: EmbeddingFile) {
  const { format, width, pairs } = file;
  switch (format) {
    case "jsonl":
      await writeFileAtomic(path, embeddingLines(chunks));
      break;
    case "npy":
      await writeNpy(path, blocks(chunks), { columns: width });
      break;
    case "parquet": {
      const textColumns = pairs ? ["text", "pair"] : ["text"];
      await writeParquet(path, rows(chunks), { textColumns, vectorColumn: "embedding" });
    }
  }
}

/** A JSON object a line, whose numbers have the digits that a float32 needs and no more. */
export async function* embeddingLines(chunks: AsyncIterable<Embedded>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { texts, vector } of rows(chunks)) {
    const [text, pair] = texts.map((text) => JSON.stringify(text));
    const fields = pair === undefined ? `"text":${text}` : `"text":${text},"pair":${pair}`;
    yield encoder.encode(`{${fields},"embedding":[${Array.from(vector, float32Digits).join()}]}\n`);
  }
}

async function* blocks(chunks: AsyncIterable<Embedded>): AsyncGenerator<Float32Array> {
  for await (const { vectors } of chunks) yield vectors;
}

async function* rows(chunks: AsyncIterable<Embedded>) {
  for await (const { texts, vectors } of chunks) {
    const width = vectors.length / texts.length;
    for (const [i, { text, pair }] of texts.entries()) {
      const vector = vectors.subarray(i * width, (i + 1) * width);
      yield { texts: pair === undefined ? [text] : [text, pair], vector };
    }
  }
}
