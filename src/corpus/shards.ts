import { ClozeError } from "../base/errors.ts";
import { countDocuments, countSentences, type Documents } from "../data/documents.ts";
import { encodeSafetensors, parseSafetensors, type Safetensors } from "../formats/safetensors.ts";

/** Tokens of a shard, about: 8 MB, which a trainer reads in one go and shuffles in memory. */
const SHARD_TOKENS = 1 << 22;

/** Documents of a shard at least: sentence pairs draw from another document of the same shard. */
const LEAST_DOCUMENTS = 2;

/** All documents of some parts, in their order. */
export function joinDocuments(parts: readonly Documents[]): Documents {
  if (parts.length === 1) return parts[0];
  const tokens = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = parts[0]?.ids instanceof Uint32Array ? new Uint32Array(tokens) : new Uint16Array(tokens);
  const sentences = new Uint32Array(1 + parts.reduce((sum, part) => sum + countSentences(part), 0));
  const documents = new Uint32Array(1 + parts.reduce((sum, part) => sum + countDocuments(part), 0));
  let token = 0;
  let sentence = 0;
  let document = 0;
  for (const part of parts) {
    ids.set(part.ids, token);
    for (let s = 1; s < part.sentences.length; s++) sentences[sentence + s] = token + part.sentences[s];
    for (let d = 1; d < part.documents.length; d++) documents[document + d] = sentence + part.documents[d];
    token += part.ids.length;
    sentence += countSentences(part);
    document += countDocuments(part);
  }
  return { ids, sentences, documents };
}

/**
 * Joins parts, none of which is divided, into shards of about `shardTokens` tokens. Every shard has two documents or
 * more, unless there is one only: so each is held back until it is known that the next one will.
 */
export async function* cutShards(
  parts: AsyncIterable<Documents>,
  shardTokens: number = SHARD_TOKENS,
): AsyncGenerator<Documents> {
  let held: Documents[] = [];
  let open: Documents[] = [];
  for await (const part of parts) {
    if (countDocuments(part) === 0) continue;
    open.push(part);
    if (sum(open, countDocuments) < LEAST_DOCUMENTS) continue;
    if (held.length > 0) yield joinDocuments(held);
    held = [];
    if (sum(open, ({ ids }) => ids.length) < shardTokens) continue;
    held = open;
    open = [];
  }
  if (sum(open, countDocuments) < LEAST_DOCUMENTS) {
    held.push(...open);
    open = [];
  }
  if (held.length > 0) yield joinDocuments(held);
  if (open.length > 0) yield joinDocuments(open);
}

/** A shard as the chunks of a safetensors file: tensors `sentences`, `documents` and `ids`, the wider ones first. */
export function encodeShard({ ids, sentences, documents }: Documents): Uint8Array[] {
  return encodeSafetensors([
    { name: "sentences", dtype: "U32", shape: [sentences.length], data: sentences },
    { name: "documents", dtype: "U32", shape: [documents.length], data: documents },
    { name: "ids", dtype: ids instanceof Uint16Array ? "U16" : "U32", shape: [ids.length], data: ids },
  ]);
}

/**
 * Parses a shard and checks that it has the form of {@link Documents} with ids below `vocabularySize`.
 *
 * @param source names the file in errors
 * @throws ClozeError SHARD_MALFORMED
 */
export function decodeShard(bytes: Uint8Array, vocabularySize: number, source: string): Documents {
  const { tensors } = parseShard(bytes, source);
  const ids = tensors.get("ids")?.dtype === "U16" ? uint16(tensors, "ids", source) : uint32(tensors, "ids", source);
  const sentences = uint32(tensors, "sentences", source);
  const documents = uint32(tensors, "documents", source);
  checkOffsets(sentences, ids.length, source, "sentences");
  checkOffsets(documents, sentences.length - 1, source, "documents");
  for (const id of ids) {
    if (id >= vocabularySize) throw malformedShard(source, `ids below ${vocabularySize}`, `${id}`);
  }
  return { ids, sentences, documents };
}

export function malformedShard(source: string, expected: string, received: string, cause?: unknown): ClozeError {
  return new ClozeError("SHARD_MALFORMED", {
    problem: `the shard ${source} is damaged`,
    expected,
    received,
    cure: "Copy it again, or prepare this part of the corpus anew with --overwrite.",
    cause,
  });
}

function parseShard(bytes: Uint8Array, source: string): Safetensors {
  try {
    return parseSafetensors(bytes, source);
  } catch (cause) {
    throw malformedShard(source, "a safetensors file", cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function uint32(tensors: Safetensors["tensors"], name: string, source: string): Uint32Array {
  const { buffer, byteOffset, length } = aligned(tensors, name, "U32", source);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

function uint16(tensors: Safetensors["tensors"], name: string, source: string): Uint16Array {
  const { buffer, byteOffset, length } = aligned(tensors, name, "U16", source);
  return new Uint16Array(buffer, byteOffset, length / 2);
}

/** The bytes of a tensor where they lie, or a copy of them where typed arrays cannot begin there. */
function aligned(tensors: Safetensors["tensors"], name: string, dtype: string, source: string): Uint8Array {
  const tensor = tensors.get(name);
  if (tensor?.dtype === dtype && tensor.shape.length === 1) {
    return tensor.data.byteOffset % 4 === 0 ? tensor.data : new Uint8Array(tensor.data);
  }
  const received = tensor === undefined ? "none" : `${tensor.dtype} [${tensor.shape.join(", ")}]`;
  throw malformedShard(source, `a row of ${dtype} named ${name}`, received);
}

/** Offsets begin with 0, ascend, and end with how many there are of what they count. */
function checkOffsets(offsets: Uint32Array, total: number, source: string, name: string): void {
  const fail = (expected: string, at: number) => {
    throw malformedShard(source, `${name} that ${expected}`, `${offsets[at] ?? "nothing"} at ${at}`);
  };
  if (offsets[0] !== 0) fail("begin with 0", 0);
  for (let i = 1; i < offsets.length; i++) if (offsets[i] <= offsets[i - 1]) fail("ascend", i);
  if (offsets[offsets.length - 1] !== total) fail(`end with ${total}`, offsets.length - 1);
}

function sum(parts: readonly Documents[], of: (part: Documents) => number): number {
  return parts.reduce((total, part) => total + of(part), 0);
}
