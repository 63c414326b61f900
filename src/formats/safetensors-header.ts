import { ClozeError } from "../base/errors.ts";
import { findDuplicateKey } from "./duplicate-keys.ts";

/** The number formats that are read and written, with their sizes in bytes. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** Where a tensor lies, and how. */
export interface TensorEntry {
  readonly dtype: Dtype;
  /** Row-major; `[]` for a scalar; sizes may be 0. */
  readonly shape: readonly number[];
  /** The first byte and the one behind the last, from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order in which they lie. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

/** What comes before the header: its length as 64 bits, the lowest first. */
export const LENGTH_BYTES = 8;

const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";

/**
 * Reads the header's length from the first 8 bytes of a file.
 *
 * @param source names the file in errors
 * @param size of the file, in bytes
 * @throws ClozeError SAFETENSORS_HEADER where the file has no room for it, or it is above the format's 100 MB
 */
export function headerLength(source: string, start: Uint8Array, size: number): number {
  if (start.length < LENGTH_BYTES) throw badHeader(source, "at least 8 bytes", `${start.length}`);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) throw badHeader(source, "a header of at most 100 MB", `one of ${length} bytes`);
  if (length > size - LENGTH_BYTES) {
    throw badHeader(source, `a file that holds its header of ${length} bytes`, `${size} bytes`);
  }
  return length;
}

/**
 * Parses a header and holds it to every rule of the format: UTF-8, a JSON object without duplicate keys, known dtypes,
 * whole sizes, offsets that agree with them and cover the data exactly once, metadata of strings.
 *
 * @param source names the file in errors
 * @param dataBytes what the file holds behind its header
 * @throws ClozeError SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_TENSOR, SAFETENSORS_OFFSETS
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseHeader(source: string, header: Uint8Array, dataBytes: number): SafetensorsHeader {
  const object = parseJson(source, header);
  const { [METADATA]: metadata = {}, ...tensors } = object;
  const entries = Object.entries(tensors).map(([name, value]): [string, TensorEntry] => {
    if (!isUnicode(name)) throw badHeader(source, "names of Unicode text", show(name));
    return [name, parseEntry(`${source}, tensor ${JSON.stringify(name)}`, value)];
  });
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCover(source, entries, dataBytes);
  return { metadata: parseMetadata(source, metadata), entries: new Map(entries) };
}

/** A header for these entries, padded with spaces so that the data begins at a multiple of `alignment`; its length comes first. */
export function encodeHeader({ metadata, entries }: SafetensorsHeader, alignment = 8): Uint8Array {
  const members = Array.from(entries, ([name, { dtype, shape, begin, end }]) => {
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  if (metadata.size > 0) {
    const pairs = Array.from(metadata, ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    members.unshift(`"${METADATA}":{${pairs.join()}}`);
  }
  const json = new TextEncoder().encode(`{${members.join()}}`);
  const header = new Uint8Array(Math.ceil((LENGTH_BYTES + json.length) / alignment) * alignment).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - LENGTH_BYTES), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

/** Whether a string can be encoded: it holds no half of a surrogate pair, which JSON can write but UTF-8 cannot. */
export function isUnicode(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** How many bytes a tensor takes. */
export function byteLength(dtype: Dtype, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
}

function parseJson(source: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw badHeader(source, "a header that begins with {", "something else");
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw badHeader(source, "a header of JSON in UTF-8", error instanceof Error ? error.message : "none", error);
  }
  if (!isObject(value)) throw badHeader(source, "a JSON object", "another value");
  const duplicate = findDuplicateKey(text);
  if (duplicate === undefined) return value;
  throw badHeader(source, "different names", `${show(duplicate)} twice`);
}

function parseMetadata(source: string, metadata: unknown): Map<string, string> {
  const pairs = isObject(metadata) ? Object.entries(metadata) : [["", undefined] as const];
  return new Map(
    pairs.map(([key, value]) => {
      if (typeof value === "string") return [key, value];
      throw badHeader(source, "metadata of strings by name", show(metadata));
    }),
  );
}

function parseEntry(place: string, value: unknown): TensorEntry {
  if (!isObject(value)) throw badTensor(place, "an object", show(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    throw new ClozeError("SAFETENSORS_DTYPE", {
      problem: `${place} has a number format that is not known`,
      expected: Object.keys(DTYPE_BYTES).join(", "),
      received: show(dtype),
      cure: "Convert it before.",
    });
  }
  if (!isSizes(shape)) throw badTensor(place, "a shape of whole numbers from 0 on", show(shape));
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw badOffsets(place, "two data_offsets in order", show(offsets));
  }
  const [begin, end] = offsets;
  const bytes = byteLength(dtype, shape);
  if (bytes !== end - begin) {
    throw badTensor(place, `${bytes} bytes for ${dtype} [${shape.join(", ")}]`, `${end - begin}`);
  }
  return { dtype, shape, begin, end };
}

/** Holds sorted entries to the rule that they follow one another from the first byte of the data to the last. */
function checkCover(source: string, entries: readonly [string, TensorEntry][], dataBytes: number): void {
  let covered = 0;
  for (const [name, { begin, end }] of entries) {
    if (begin !== covered) {
      const place = `${source}, tensor ${JSON.stringify(name)}`;
      throw badOffsets(place, `to begin at byte ${covered} of the data, where the one before ends`, `${begin}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) throw badOffsets(source, `${covered} bytes of data, as its header says`, `${dataBytes}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

/** Whether a value is a list of sizes: whole numbers, from 0 to what a number holds exactly. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The start of a value from a header, for messages. */
function show(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? "nothing").slice(0, 100);
  } catch {
    return "a value nested too deeply to show";
  }
}

function badHeader(source: string, expected: string, received: string, cause?: unknown): ClozeError {
  const problem = `${source} has no valid safetensors header`;
  return new ClozeError("SAFETENSORS_HEADER", { problem, expected, received, cure: CURE, cause });
}

function badTensor(place: string, expected: string, received: string): ClozeError {
  return new ClozeError("SAFETENSORS_TENSOR", { problem: `${place} is malformed`, expected, received, cure: CURE });
}

function badOffsets(place: string, expected: string, received: string): ClozeError {
  return new ClozeError("SAFETENSORS_OFFSETS", { problem: `${place} is malformed`, expected, received, cure: CURE });
}

const CURE = "Download or write the file again.";
