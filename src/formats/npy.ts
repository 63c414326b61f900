import { ClozeError } from "../base/errors.ts";

/** An array as it was read. */
export interface NpyArray {
  /** Row-major; `[]` for a single number. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0); // \x93NUMPY and the version, 1.0
/** The magic number, the version and the length of the header as 16 bits. */
const START_BYTES = MAGIC.length + 2;
/** The data begins at a multiple of this. */
const ALIGNMENT = 64;
/** The digits for which NumPy leaves room in the first size, so that a file can grow without being moved. */
const GROWTH_DIGITS = 21;

/**
 * What stands before the numbers in a .npy file of float32 in C order: byte for byte what NumPy writes. Its length does
 * not depend on the first size, so that it can be written before the rows and again once their number is known.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function encodeNpyHeader(shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }${" ".repeat(growth)}`;
  const length = Math.ceil((START_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(length);
  header.set(MAGIC);
  new DataView(header.buffer).setUint16(MAGIC.length, length - START_BYTES, true);
  header.set(new TextEncoder().encode(`${text.padEnd(length - START_BYTES - 1)}\n`), START_BYTES);
  return header;
}

/**
 * Parses a .npy file of version 1.0 with float32 numbers in C order, strictly. Numbers that are aligned to 4 bytes, as
 * they are in a file that was read whole, are not copied.
 *
 * @param source names the file in errors
 * @throws ClozeError NPY_MALFORMED
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpy(bytes: Uint8Array, source = "the file"): NpyArray {
  if (bytes.length < START_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw malformed(source, "to begin as NumPy's files of version 1.0", "something else");
  }
  const start = START_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint16(MAGIC.length, true);
  if (start > bytes.length) throw malformed(source, `a header that ends at byte ${start}`, `${bytes.length} bytes`);
  const shape = parseHeader(new TextDecoder("latin1").decode(bytes.subarray(START_BYTES, start)), source);
  const size = shape.reduce((product, length) => product * length, 4);
  const data = bytes.subarray(start);
  if (data.length !== size) {
    throw malformed(source, `${size} bytes of numbers for the shape (${shape.join(", ")})`, `${data.length}`);
  }
  const { buffer, byteOffset } = data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
  return { shape, data: new Float32Array(buffer, byteOffset, size / 4) };
}

/** A Python dictionary with the keys in alphabetical order, as the format recommends to those who write it. */
const HEADER = /^\{'descr': '(.+?)', 'fortran_order': (True|False), 'shape': \((|\d+,|\d+(?:, \d+)+)\),? ?\} *\n$/;

function parseHeader(header: string, source: string): number[] {
  const [, descr, fortran, sizes] = HEADER.exec(header) ?? [];
  if (sizes === undefined) throw malformed(source, "a header as NumPy writes it", JSON.stringify(header.slice(0, 100)));
  if (descr !== "<f4" || fortran === "True") {
    throw malformed(source, "'<f4' in C order", `'${descr}' in ${fortran === "True" ? "Fortran" : "C"} order`);
  }
  return (sizes.match(/\d+/g) ?? []).map(Number);
}

function malformed(source: string, expected: string, received: string): ClozeError {
  return new ClozeError("NPY_MALFORMED", {
    problem: `${source} cannot be read as a NumPy array`,
    expected,
    received,
    cure: "Write it again with numpy.save, as numpy.ascontiguousarray(a, '<f4').",
  });
}
