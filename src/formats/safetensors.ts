import { ClozeError } from "../base/errors.ts";
import { narrowToFloat16, widenBfloat16, widenFloat16 } from "./float16.ts";
import {
  byteLength,
  DTYPE_BYTES,
  type Dtype,
  encodeHeader,
  headerLength,
  isSizes,
  isUnicode,
  LENGTH_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors-header.ts";

export type { Dtype } from "./safetensors-header.ts";

/** A tensor to be written. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The numbers in row-major order, in the machine's byte order, which on every machine that runs this is the file's. */
  readonly data: ArrayBufferView;
}

/** A tensor as it was read. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The bytes as they are in the file. */
  readonly data: Uint8Array;
}

/** The content of a safetensors file, in the order in which it lies there. */
export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Encodes tensors, in the order given, as the chunks of a safetensors file. Their data is not copied: the chunks are
 * views, to be written before it changes. The data begins at a multiple of `alignment` bytes; with wider dtypes first, every
 * tensor is aligned.
 *
 * @throws ClozeError SAFETENSORS_TENSOR where data and shape contradict each other, or a name is taken
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
  alignment = 8,
): Uint8Array[] {
  const entries = new Map<string, TensorEntry>();
  const chunks: Uint8Array[] = [];
  let end = 0;
  for (const { name, dtype, shape, data } of tensors) {
    const begin = end;
    end += data.byteLength;
    if (!isSizes(shape) || byteLength(dtype, shape) !== data.byteLength) {
      const expected = `${byteLength(dtype, shape)} bytes for ${dtype} [${shape.join(", ")}]`;
      throw unwritable(name, expected, `${data.byteLength}`);
    }
    if (!isUnicode(name)) throw unwritable(name, "a name of Unicode text", "half of a surrogate pair");
    if (entries.has(name) || name === "__metadata__") throw unwritable(name, "a name of its own", "one that is taken");
    entries.set(name, { dtype, shape, begin, end });
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return [encodeHeader({ metadata: new Map(Object.entries(metadata)), entries }, alignment), ...chunks];
}

/**
 * Parses a safetensors file that is in memory, strictly. The tensors are views of `bytes`.
 *
 * @param source names the file in errors
 * @throws ClozeError SAFETENSORS_HEADER, SAFETENSORS_DTYPE, SAFETENSORS_TENSOR, SAFETENSORS_OFFSETS
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseSafetensors(bytes: Uint8Array, source = "the file"): Safetensors {
  const start = LENGTH_BYTES + headerLength(source, bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const header: SafetensorsHeader = parseHeader(source, bytes.subarray(LENGTH_BYTES, start), bytes.length - start);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, begin, end }] of header.entries) {
    tensors.set(name, { dtype, shape, data: bytes.subarray(start + begin, start + end) });
  }
  return { metadata: header.metadata, tensors };
}

/**
 * The numbers of a tensor of F64, F32, F16 or BF16 as float32. F32 that is aligned to 4 bytes is not copied.
 *
 * @throws ClozeError SAFETENSORS_DTYPE for integers and booleans
 */
export function toFloat32({ dtype, data }: Pick<StoredTensor, "dtype" | "data">): Float32Array {
  if (dtype === "F32" && data.byteOffset % 4 === 0) {
    return new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  }
  const values = new Float32Array(data.length / DTYPE_BYTES[dtype]);
  convertToFloat32({ dtype, data }, values, "the tensor");
  return values;
}

/**
 * Writes the numbers of a tensor, or of any part of it, to `to`, converted as {@link toFloat32} does.
 *
 * @param place names the tensor in errors
 * @throws ClozeError SAFETENSORS_DTYPE for integers and booleans
 */
export function convertToFloat32(
  { dtype, data }: Pick<StoredTensor, "dtype" | "data">,
  to: Float32Array,
  place: string,
) {
  const { buffer, byteOffset, length } = data.byteOffset % DTYPE_BYTES[dtype] === 0 ? data : new Uint8Array(data);
  switch (dtype) {
    case "F32":
      to.set(new Float32Array(buffer, byteOffset, length / 4));
      break;
    case "F64":
      to.set(new Float64Array(buffer, byteOffset, length / 8));
      break;
    case "F16":
      widenFloat16(new Uint16Array(buffer, byteOffset, length / 2), to);
      break;
    case "BF16":
      widenBfloat16(new Uint16Array(buffer, byteOffset, length / 2), to);
      break;
    default:
      throw new ClozeError("SAFETENSORS_DTYPE", {
        problem: `${place} does not hold floating-point numbers`,
        expected: "F64, F32, F16 or BF16",
        received: dtype,
      });
  }
}

/** The same tensor with its float32 numbers rounded to F16, which halves the file. */
export function toFloat16(tensor: Omit<NamedTensor, "dtype" | "data"> & { readonly data: Float32Array }): NamedTensor {
  return { ...tensor, dtype: "F16", data: narrowToFloat16(tensor.data) };
}

function unwritable(name: string, expected: string, received: string): ClozeError {
  const problem = `the tensor ${JSON.stringify(name)} cannot be written`;
  return new ClozeError("SAFETENSORS_TENSOR", { problem, expected, received });
}
