import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClozeError } from "../base/errors.ts";
import { encodeSafetensors, type NamedTensor, parseSafetensors, toFloat16, toFloat32 } from "./safetensors.ts";
import { DTYPE_BYTES, type Dtype } from "./safetensors-header.ts";

const joined = (chunks: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));

/** A file with this header, as text or bytes, and this many bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const start = new BigUint64Array([length ?? BigInt(bytes.length)]);
  return joined([new Uint8Array(start.buffer), bytes, new Uint8Array(dataBytes)]);
}

const entry = (fields: object) => ({ dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields });
const oneTensor = (fields: object) => JSON.stringify({ a: entry(fields) });

describe("encodeSafetensors", () => {
  test("writes what the format describes, byte for byte", () => {
    const tensors: NamedTensor[] = [
      { name: "b", dtype: "I32", shape: [2, 1], data: Int32Array.of(1, -1) },
      { name: "a", dtype: "U8", shape: [], data: Uint8Array.of(7) },
    ];
    const header =
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"I32","shape":[2,1],"data_offsets":[0,8]},' +
      '"a":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const data = Uint8Array.of(1, 0, 0, 0, 255, 255, 255, 255, 7);
    const expected = joined([file(padded), data]);
    expect(joined(encodeSafetensors(tensors, { format: "pt" }))).toEqual(expected);
  });

  test("copies no data", () => {
    const all = Float32Array.of(0, 1, 2, 3);
    const chunks = encodeSafetensors([{ name: "a", dtype: "F32", shape: [2], data: all.subarray(1, 3) }]);
    expect(chunks[1].buffer).toBe(all.buffer);
    expect([chunks[1].byteOffset, chunks[1].byteLength]).toEqual([4, 8]);
  });

  test.each([
    ["a shape that does not fit", [{ name: "a", dtype: "F32", shape: [3], data: new Float32Array(2) }]],
    ["a dtype that does not fit", [{ name: "a", dtype: "F16", shape: [2], data: new Float32Array(2) }]],
    ["a negative shape", [{ name: "a", dtype: "F32", shape: [-1, -2], data: new Float32Array(2) }]],
    ["the name of the metadata", [{ name: "__metadata__", dtype: "U8", shape: [1], data: new Uint8Array(1) }]],
    ["half of a surrogate pair as name", [{ name: "\ud800", dtype: "U8", shape: [1], data: new Uint8Array(1) }]],
    [
      "a name given twice",
      [
        { name: "a", dtype: "U8", shape: [1], data: new Uint8Array(1) },
        { name: "a", dtype: "U8", shape: [1], data: new Uint8Array(1) },
      ],
    ],
  ] satisfies [string, NamedTensor[]][])("%s is SAFETENSORS_TENSOR", (_, tensors) => {
    expect(() => encodeSafetensors(tensors)).toThrow(expect.objectContaining({ code: "SAFETENSORS_TENSOR" }));
  });
});

describe("parseSafetensors", () => {
  test("reads a file of the format's own tests", () => {
    const bytes = file('{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}', 16);
    const { metadata, tensors } = parseSafetensors(bytes);
    expect(metadata.size).toBe(0);
    expect([...tensors]).toEqual([["test", { dtype: "I32", shape: [2, 2], data: new Uint8Array(16) }]]);
  });

  test.each([
    ["no tensor at all", "{}", 0],
    ["metadata alone", '{"__metadata__":{"a":"b"}}', 0],
    ["padding", "{}      \n\t ", 0],
    ["a scalar", oneTensor({ shape: [], data_offsets: [0, 4] }), 4],
    ["an empty tensor", oneTensor({ shape: [3, 0], data_offsets: [0, 0] }), 0],
    [
      "empty tensors between others",
      '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"c":{"dtype":"F32","shape":[0],"data_offsets":[1,1]}}',
      1,
    ],
    ["further fields of a tensor", oneTensor({ comment: null }), 8],
  ])("accepts %s", (_, header, dataBytes) => {
    expect(() => parseSafetensors(file(header, dataBytes))).not.toThrow();
  });

  test("gives tensors in the order in which they lie, as views, and names like __proto__ as any other", () => {
    const header =
      '{"1":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"__proto__":{"dtype":"I16","shape":[1],"data_offsets":[0,2]}}';
    const bytes = file(header, 3);
    const { tensors } = parseSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["__proto__", "1"]);
    expect(tensors.get("1")?.data.buffer).toBe(bytes.buffer);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["less than a length", new Uint8Array(7)],
    ["a length without a header", file("", 0, 2n)],
    ["an empty header", file("")],
    ["a header longer than the file", file("{}", 0, 3n)],
    ["a header above 100 MB", file("{}", 0, 100_000_001n)],
    ["a header of 2^64 - 1 bytes", file("{}", 0, 2n ** 64n - 1n)],
    ["a header that begins with a space", file(" {}")],
    ["a header that begins with a byte order mark", file("\uFEFF{}")],
    ["a header that is a list", file("[]")],
    ["a header cut short", file('{"a":')],
    ["something behind the object", file("{}{}")],
    ["NULs behind the object", file("{}\0\0")],
    ["a header that is not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))],
    ["a header nested without end", file(`{"a":${"[".repeat(1e6)}`)],
    ["a name given twice", file(`{"a":${JSON.stringify(entry({}))},"a":${JSON.stringify(entry({}))}}`, 8)],
    ["a name given twice, once escaped", file(`{"a":${JSON.stringify(entry({}))},"\\u0061":0}`, 8)],
    ["a field given twice", file('{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}', 8)],
    ["a name of half a surrogate pair", file(`{"\\ud800":${JSON.stringify(entry({}))}}`, 8)],
    ["metadata given twice", file('{"__metadata__":{},"__metadata__":{}}')],
    ["metadata that is text", file('{"__metadata__":"a"}')],
    ["metadata that is null", file('{"__metadata__":null}')],
    ["metadata with a number", file('{"__metadata__":{"a":1}}')],
    ["metadata with an object", file('{"__metadata__":{"a":{}}}')],
  ])("%s is SAFETENSORS_HEADER", (_, bytes) => {
    expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: "SAFETENSORS_HEADER" }));
  });

  test.each([
    ["unknown", "F8_E4M3"],
    ["in small letters", "f32"],
    ["an inherited name", "toString"],
    ["no text", 32],
    ["missing", undefined],
  ])("a dtype that is %s is SAFETENSORS_DTYPE", (_, dtype) => {
    const bytes = file(oneTensor({ dtype }), 8);
    expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: "SAFETENSORS_DTYPE" }));
  });

  test.each([
    ["an entry that is no object", '{"a":1}', 0],
    ["an entry that is a list", '{"a":[]}', 0],
    ["a shape that is missing", oneTensor({ shape: undefined }), 8],
    ["a shape that is a number", oneTensor({ shape: 2 }), 8],
    ["a negative size", oneTensor({ shape: [-2] }), 8],
    ["two negative sizes", oneTensor({ shape: [-1, -2] }), 8],
    ["a fractional size", oneTensor({ shape: [0.5, 4] }), 8],
    ["a size that is text", oneTensor({ shape: ["2"] }), 8],
    ["a size above 2^53", '{"a":{"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,8]}}', 8],
    ["a product that overflows 64 bits", oneTensor({ shape: [2 ** 32, 2 ** 32, 2], data_offsets: [0, 0] }), 0],
    [
      "a product that overflows a double",
      oneTensor({ shape: [...Array(30).fill(2 ** 50), 0], data_offsets: [0, 0] }),
      0,
    ],
    ["fewer bytes than its shape", oneTensor({ shape: [3] }), 8],
    ["more bytes than its shape", oneTensor({ shape: [1] }), 8],
    ["another dtype's bytes", oneTensor({ dtype: "F16" }), 8],
    [
      "a shape nested without end",
      `{"a":{"dtype":"F32","shape":${"[".repeat(1e5)}${"]".repeat(1e5)},"data_offsets":[0,8]}}`,
      8,
    ],
  ])("%s is SAFETENSORS_TENSOR", (_, header, dataBytes) => {
    const bytes = file(header, dataBytes);
    expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: "SAFETENSORS_TENSOR" }));
  });

  const two = (first: [number, number], second: [number, number]) =>
    JSON.stringify({
      a: { dtype: "U8", shape: [first[1] - first[0]], data_offsets: first },
      b: { dtype: "U8", shape: [second[1] - second[0]], data_offsets: second },
    });

  test.each([
    ["missing", oneTensor({ data_offsets: undefined }), 8],
    ["three", oneTensor({ data_offsets: [0, 8, 8] }), 8],
    ["one", oneTensor({ data_offsets: [8] }), 8],
    ["out of order", oneTensor({ data_offsets: [8, 0] }), 8],
    ["negative", oneTensor({ data_offsets: [-8, 0] }), 8],
    ["fractional", oneTensor({ data_offsets: [0.5, 8.5] }), 9],
    ["above 2^53", '{"a":{"dtype":"F32","shape":[2],"data_offsets":[9007199254740992,9007199254741000]}}', 8],
    ["overlapping", two([0, 4], [2, 6]), 6],
    ["equal", two([0, 4], [0, 4]), 4],
    ["one inside the other", two([0, 8], [2, 4]), 8],
    ["leaving a hole between", two([0, 4], [5, 6]), 6],
    ["leaving a hole at the start", two([1, 4], [4, 6]), 6],
    ["beyond the end of the file", two([0, 4], [4, 8]), 7],
    ["before the end of the file", two([0, 4], [4, 8]), 9],
  ])("offsets that are %s are SAFETENSORS_OFFSETS", (_, header, dataBytes) => {
    const bytes = file(header, dataBytes);
    expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: "SAFETENSORS_OFFSETS" }));
  });

  test("data without any tensor is SAFETENSORS_OFFSETS", () => {
    expect(() => parseSafetensors(file("{}", 1))).toThrow(expect.objectContaining({ code: "SAFETENSORS_OFFSETS" }));
  });

  test("an error names the file and the tensor", () => {
    const parse = () => parseSafetensors(file(oneTensor({ shape: [3] }), 8), "model.safetensors");
    expect(parse).toThrow(/^model\.safetensors, tensor "a" is malformed; expected 12 bytes for F32 \[3\]; got 8\./);
  });
});

const anyTensors = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom(...(Object.keys(DTYPE_BYTES) as Dtype[])),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    })
    .chain((tensor) => {
      const length = tensor.shape.reduce((product, size) => product * size, DTYPE_BYTES[tensor.dtype]);
      return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ ...tensor, data }));
    }),
  { selector: ({ name }) => name, maxLength: 5 },
);
const anyMetadata = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), {
  noNullPrototype: true,
});

describe("round trip", () => {
  test("any tensors and metadata come back, in order, and the data is aligned", () => {
    fc.assert(
      fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
        const chunks = encodeSafetensors(tensors, metadata);
        expect(chunks[0].length % 8).toBe(0);
        const read = parseSafetensors(joined(chunks));
        expect(Object.fromEntries(read.metadata)).toEqual(metadata);
        const readTensors = Array.from(read.tensors, ([name, tensor]) => ({ name, ...tensor }));
        const nonEmpty = (tensor: { data: Uint8Array }) => tensor.data.length > 0;
        expect(readTensors.filter(nonEmpty)).toEqual(tensors.filter(nonEmpty));
        expect(new Map(readTensors.map((tensor) => [tensor.name, tensor]))).toEqual(
          new Map(tensors.map((tensor) => [tensor.name, tensor])),
        );
      }),
    );
  });
});

describe("fuzz", () => {
  const parses = (bytes: Uint8Array) => {
    try {
      parseSafetensors(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(ClozeError);
    }
  };

  test("random bytes throw nothing but a ClozeError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), parses), { numRuns: 1000 });
  });

  test("random JSON throws nothing but a ClozeError", () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("F32", [2], [0, 8], 8));
    const tensor = fc.record({ dtype: value, shape: value, data_offsets: value }, { requiredKeys: [] });
    const header = fc.dictionary(fc.constantFrom("a", "b", "__metadata__"), fc.oneof(tensor, fc.jsonValue()));
    fc.assert(
      fc.property(header, (json) => parses(file(JSON.stringify(json), 8))),
      { numRuns: 1000 },
    );
  });

  test("valid files with a few bytes changed or cut throw nothing but a ClozeError", () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(anyTensors, changes, fc.nat({ max: 3 }), (tensors, changed, cut) => {
        const bytes = joined(encodeSafetensors(tensors, { a: "b" }));
        for (const { at, to } of changed) bytes[at % bytes.length] = to;
        parses(bytes.subarray(0, bytes.length - cut));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("toFloat32", () => {
  const numbers = [0, -1.5, 2, 65504];

  test.each([
    ["F64", Float64Array.from(numbers)],
    ["F32", Float32Array.from(numbers)],
    ["F16", Uint16Array.of(0, 0xbe00, 0x4000, 0x7bff)],
    ["BF16", Uint16Array.of(0, 0xbfc0, 0x4000, 0x477f)],
  ] as const)("converts %s, aligned or not", (dtype, typed) => {
    const expected = Float32Array.from(dtype === "BF16" ? [0, -1.5, 2, 65280] : numbers);
    const aligned = new Uint8Array(typed.buffer);
    const unaligned = new Uint8Array(aligned.length + 1).subarray(1);
    unaligned.set(aligned);
    const buffer = Buffer.from(unaligned.buffer, 1); // its slices share its memory
    for (const data of [aligned, unaligned, buffer]) expect(toFloat32({ dtype, data })).toEqual(expected);
  });

  test("does not copy aligned F32", () => {
    const { buffer } = Float32Array.from(numbers);
    expect(toFloat32({ dtype: "F32", data: new Uint8Array(buffer, 4, 8) })).toMatchObject({ buffer, byteOffset: 4 });
  });

  const others = ["I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"] as const;
  test.each(others)("refuses %s with SAFETENSORS_DTYPE", (dtype) => {
    const convert = () => toFloat32({ dtype, data: new Uint8Array(8) });
    expect(convert).toThrow(expect.objectContaining({ code: "SAFETENSORS_DTYPE" }));
  });
});

test("toFloat16 gives a tensor that reads back as the rounded numbers", () => {
  const tensor = toFloat16({ name: "a", shape: [2, 1], data: Float32Array.of(0.1, -3) });
  const read = parseSafetensors(joined(encodeSafetensors([tensor]))).tensors.get("a");
  expect(read).toMatchObject({ dtype: "F16", shape: [2, 1] });
  expect(read && toFloat32(read)).toEqual(Float32Array.of(0.0999755859375, -3));
});
