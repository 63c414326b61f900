import { type FileHandle, open } from "node:fs/promises";
import { ClozeError } from "../base/errors.ts";
import { readError } from "./file-errors.node.ts";
import { convertToFloat32, type Dtype, type Safetensors, type StoredTensor } from "./safetensors.ts";
import {
  DTYPE_BYTES,
  headerLength,
  LENGTH_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors-header.ts";

export type { SafetensorsHeader, TensorEntry } from "./safetensors-header.ts";

/** The most that is read at once: below the 2 GiB of a system call, and small beside the tensors. */
const READ_BYTES = 1 << 23;

export interface ReadOptions {
  /**
   * Says, tensor by tensor in the file's order, where its numbers go: they are read there, as float32. Tensors for which
   * it returns undefined are skipped. Without it every tensor gets memory of its own and keeps its dtype.
   */
  into?: (name: string, shape: readonly number[], dtype: Dtype) => Float32Array | undefined;
}

/**
 * Reads a safetensors file of any size, each tensor from its place straight to where it goes.
 *
 * @returns the metadata, and the tensors that were read; with `into` these are F32 views of its arrays
 * @throws ClozeError FILE_MISSING; SAFETENSORS_HEADER, SAFETENSORS_OFFSETS; SAFETENSORS_DTYPE, also for integers with
 *   `into`; SAFETENSORS_TENSOR, also for an array of `into` with another number of elements
 * @see https://github.com/huggingface/safetensors#format
 */
export async function readSafetensors(path: string, { into }: ReadOptions = {}): Promise<Safetensors> {
  return withHeader(path, async (file, { metadata, entries }, dataStart) => {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, entry] of entries) {
      const { dtype, shape, begin, end } = entry;
      if (into === undefined) {
        const data = new Uint8Array(end - begin);
        await readRange(path, file, data, dataStart + begin);
        tensors.set(name, { dtype, shape, data });
        continue;
      }
      const to = into(name, shape, dtype);
      if (to === undefined) continue;
      await readFloat32(`${path}, tensor ${JSON.stringify(name)}`, file, entry, dataStart, to);
      tensors.set(name, { dtype: "F32", shape, data: bytesOf(to) });
    }
    return { metadata, tensors };
  });
}

/**
 * Reads only the header: metadata, and name, dtype and shape of every tensor.
 *
 * @throws ClozeError FILE_MISSING, SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_TENSOR, SAFETENSORS_OFFSETS
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withHeader(path, async (_, header) => header);
}

async function withHeader<T>(
  path: string,
  use: (file: FileHandle, header: SafetensorsHeader, dataStart: number) => Promise<T>,
): Promise<T> {
  const file = await reading(path, open(path));
  try {
    const { size } = await reading(path, file.stat());
    const start = new Uint8Array(Math.min(LENGTH_BYTES, size));
    await readRange(path, file, start, 0);
    const header = new Uint8Array(headerLength(path, start, size));
    await readRange(path, file, header, LENGTH_BYTES);
    const dataStart = LENGTH_BYTES + header.length;
    return await use(file, parseHeader(path, header, size - dataStart), dataStart);
  } finally {
    await file.close();
  }
}

/** Reads a tensor of floats as float32: F32 as it is, the others a piece at a time. */
async function readFloat32(
  place: string,
  file: FileHandle,
  { dtype, shape, begin, end }: TensorEntry,
  dataStart: number,
  to: Float32Array,
): Promise<void> {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (to.length !== elements) {
    throw new ClozeError("SAFETENSORS_TENSOR", {
      problem: `${place} does not fit where it is to go`,
      expected: `room for [${shape.join(", ")}]`,
      received: `${to.length} elements`,
    });
  }
  if (dtype === "F32") return readRange(place, file, bytesOf(to), dataStart + begin);
  const width = DTYPE_BYTES[dtype];
  const piece = new Uint8Array(Math.min(READ_BYTES, end - begin));
  for (let at = begin; at < end; at += piece.length) {
    const data = piece.subarray(0, Math.min(piece.length, end - at));
    await readRange(place, file, data, dataStart + at);
    convertToFloat32({ dtype, data }, to.subarray((at - begin) / width), place);
  }
}

/** Fills `bytes` from a place in the file. */
async function readRange(place: string, file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(READ_BYTES, bytes.length - done);
    const { bytesRead } = await reading(
      place,
      file.read(bytes.subarray(done, done + length), 0, length, position + done),
    );
    if (bytesRead === 0) throw readError(place, new Error("the file became shorter while it was read"));
    done += bytesRead;
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Awaits a system call and names its failure. */
async function reading<T>(path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw readError(path, error);
  }
}
