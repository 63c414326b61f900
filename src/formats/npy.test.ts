import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClozeError } from "../base/errors.ts";
import { encodeNpyHeader, parseNpy } from "./npy.ts";

// What NumPy 1.24.2 writes:
//   f = io.BytesIO(); np.save(f, np.array([[1.5, -2, 0.25], [3, 4, np.inf]], "<f4")); f.getvalue().hex()
const NUMPY =
  "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c" +
  `20277368617065273a2028322c2033292c207d${"20".repeat(58)}0a0000c03f000000c00000803e00004040000080400000807f`;
const MATRIX = { shape: [2, 3], data: Float32Array.of(1.5, -2, 0.25, 3, 4, Number.POSITIVE_INFINITY) };

const bytes = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const bytesOf = (data: Float32Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A file with this header and this many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const length = String.fromCharCode(header.length & 0xff, header.length >> 8);
  return joined(
    new Uint8Array(Buffer.from(`\x93NUMPY\x01\x00${length}${header}`, "latin1")),
    new Uint8Array(dataBytes),
  );
}

describe("encodeNpyHeader", () => {
  test("writes NumPy's bytes", () => {
    expect(joined(encodeNpyHeader(MATRIX.shape), bytesOf(MATRIX.data))).toEqual(bytes(NUMPY));
  });

  // numpy.lib.format.write_array_header_1_0(f, dict(descr="<f4", fortran_order=False, shape=SHAPE))
  test.each([
    [[], "(), }", 128],
    [[5], "(5,), }", 128],
    [[2, 3, 4], "(2, 3, 4), }", 128],
    [Array(20).fill(1), `(${Array(20).fill("1").join(", ")}), }`, 192],
  ])("of the shape %j", (shape, tuple, length) => {
    const header = Buffer.from(encodeNpyHeader(shape)).toString("latin1");
    expect(header.length).toBe(length);
    expect(header.slice(10).trimEnd()).toBe(`{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}`);
    expect(header.at(-1)).toBe("\n");
  });

  test("has one length whatever the number of rows", () => {
    for (const columns of [1, 768, 123456789]) {
      const lengths = [0, 9, 10, 1e6, 1e12, Number.MAX_SAFE_INTEGER].map(
        (rows) => encodeNpyHeader([rows, columns]).length,
      );
      expect(new Set(lengths).size).toBe(1);
    }
  });
});

describe("parseNpy", () => {
  test("reads NumPy's file", () => {
    expect(parseNpy(bytes(NUMPY))).toEqual(MATRIX);
  });

  test("does not copy what is aligned, and reads what is not", () => {
    const whole = bytes(NUMPY);
    expect(parseNpy(whole).data.buffer).toBe(whole.buffer);
    expect(parseNpy(joined(Uint8Array.of(0), whole).subarray(1))).toEqual(MATRIX);
  });

  test("reads numbers at any address of a Buffer, whose slices share its memory", () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}";
    for (let blanks = 0; blanks < 4; blanks++) {
      const whole = file(`${header}${" ".repeat(blanks)}\n`, 8);
      whole.set(bytesOf(Float32Array.of(1.5, -2)), whole.length - 8);
      const buffer = Buffer.from(whole.buffer);
      expect(parseNpy(buffer)).toEqual({ shape: [2], data: Float32Array.of(1.5, -2) });
    }
  });

  test("reads back any array", () => {
    const shapes = fc.array(fc.nat(4), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.float()), (shape, numbers) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const data = Float32Array.from([...numbers.take(size)]);
        expect(parseNpy(joined(encodeNpyHeader(shape), bytesOf(data)))).toEqual({ shape, data });
      }),
    );
  });

  test("reads a header without NumPy's spaces", () => {
    expect(parseNpy(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n", 4)).shape).toEqual([1]);
  });

  test.each([
    [
      "doubles",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n",
      "expected '<f4' in C order; got '<f8' in C",
    ],
    ["the wrong byte order", "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }\n", "got '>f4'"],
    ["columns first", "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }\n", "got '<f4' in Fortran order"],
    ["a record", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "header as NumPy writes it"],
    ["a shape that is no tuple", "{'descr': '<f4', 'fortran_order': False, 'shape': (1), }\n", "header as NumPy"],
    ["a negative size", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "header as NumPy"],
    ["no line end", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "header as NumPy"],
    ["nothing", "", "header as NumPy"],
    ["too large a shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", "8 bytes of numbers"],
    ["too small a shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }\n", "0 bytes of numbers"],
    ["a vast shape", `{'descr': '<f4', 'fortran_order': False, 'shape': (${"9".repeat(400)}, 0), }\n`, "NaN bytes"],
  ])("a header with %s is NPY_MALFORMED", (_, header, message) => {
    const malformed = { code: "NPY_MALFORMED", message: expect.stringContaining(message) };
    expect(() => parseNpy(file(header, 4))).toThrow(expect.objectContaining(malformed));
  });

  test("another version, and another format, is NPY_MALFORMED with the file's name", () => {
    const message = expect.stringContaining("a.npy cannot be read");
    for (const start of ["934e554d50590200", "504b030414000000"]) {
      const other = bytes(NUMPY.replace(/^.{16}/, start));
      expect(() => parseNpy(other, "a.npy")).toThrow(expect.objectContaining({ code: "NPY_MALFORMED", message }));
    }
  });

  test("a file cut anywhere is NPY_MALFORMED", () => {
    const whole = bytes(NUMPY);
    for (let length = 0; length < whole.length; length++) {
      const cut = () => parseNpy(whole.subarray(0, length));
      expect(cut).toThrow(expect.objectContaining({ code: "NPY_MALFORMED" }));
    }
  });

  test("a byte anywhere changed gives an array or a ClozeError", () => {
    const whole = bytes(NUMPY);
    for (let position = 0; position < whole.length; position++) {
      for (const flip of [0x01, 0x10, 0x80]) {
        const damaged = whole.slice();
        damaged[position] ^= flip;
        try {
          expect(parseNpy(damaged).data).toHaveLength(6);
        } catch (error) {
          expect(error).toBeInstanceOf(ClozeError);
        }
      }
    }
  });
});
