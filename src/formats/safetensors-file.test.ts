import { truncateSync } from "node:fs";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeSafetensors } from "../../test/write-safetensors.ts";
import { narrowToFloat16 } from "./float16.ts";
import { encodeSafetensors, type NamedTensor, parseSafetensors } from "./safetensors.ts";
import { readSafetensors, readSafetensorsHeader } from "./safetensors-file.node.ts";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-safetensors-"));
  path = join(folder, "model.safetensors");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const values = Float32Array.of(0.5, -1, 2, 3, 4, 65504);
const tensors: NamedTensor[] = [
  { name: "ids", dtype: "I64", shape: [1], data: BigInt64Array.of(7n) },
  { name: "double", dtype: "F64", shape: [6], data: Float64Array.from(values) },
  { name: "float", dtype: "F32", shape: [2, 3], data: values },
  { name: "half", dtype: "F16", shape: [3, 2], data: narrowToFloat16(values) },
  { name: "empty", dtype: "F16", shape: [0], data: new Uint16Array(0) },
  { name: "brain", dtype: "BF16", shape: [1], data: Uint16Array.of(0x3f80) },
];

describe("readSafetensors", () => {
  test("reads back what was written, as the parser in memory does", async () => {
    await writeSafetensors(path, tensors, { format: "pt" });
    const expected = parseSafetensors(new Uint8Array(Buffer.concat(encodeSafetensors(tensors, { format: "pt" }))));
    expect(await readSafetensors(path)).toEqual(expected);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  test("reads floats of every width straight into the arrays given, and skips the rest", async () => {
    await writeSafetensors(path, tensors);
    const all = new Float32Array(20).fill(9);
    const places = new Map([
      ["half", all.subarray(1, 7)],
      ["double", all.subarray(7, 13)],
      ["float", all.subarray(13, 19)],
      ["empty", all.subarray(19, 19)],
    ]);
    const asked: unknown[] = [];
    const read = await readSafetensors(path, {
      into: (name, shape, dtype) => {
        asked.push([name, shape, dtype]);
        return places.get(name);
      },
    });
    expect(all).toEqual(Float32Array.of(9, ...values, ...values, ...values, 9));
    expect(asked).toEqual(tensors.map(({ name, shape, dtype }) => [name, shape, dtype]));
    expect([...read.tensors.keys()]).toEqual(["double", "float", "half", "empty"]);
    const half = read.tensors.get("half");
    expect(half).toMatchObject({ dtype: "F32", shape: [3, 2] });
    expect(half?.data.buffer).toBe(all.buffer);
  });

  test("reads tensors that take more than one read", async () => {
    const large = Float32Array.from({ length: 5_000_000 }, (_, i) => i % 2048);
    await writeSafetensors(path, [
      { name: "odd", dtype: "U8", shape: [1], data: new Uint8Array(1) },
      { name: "half", dtype: "F16", shape: [large.length], data: narrowToFloat16(large) },
      { name: "float", dtype: "F32", shape: [large.length], data: large },
    ]);
    const read = { half: new Float32Array(large.length), float: new Float32Array(large.length) };
    await readSafetensors(path, { into: (name) => (name === "half" || name === "float" ? read[name] : undefined) });
    expect(Buffer.from(read.half.buffer).equals(Buffer.from(large.buffer))).toBe(true);
    expect(Buffer.from(read.float.buffer).equals(Buffer.from(large.buffer))).toBe(true);
  });

  test("reads behind 5 GB of another tensor, whose bytes it does not touch", async () => {
    const large = 5_000_000_000;
    const header = JSON.stringify({
      large: { dtype: "U8", shape: [large], data_offsets: [0, large] },
      small: { dtype: "F32", shape: [2], data_offsets: [large, large + 8] },
    });
    const file = await open(path, "w"); // with a hole, which takes no space
    await file.write(new BigUint64Array([BigInt(header.length)]), 0, 8, 0);
    await file.write(header, 8);
    await file.write(Float32Array.of(1, -2), 0, 8, 8 + header.length + large);
    await file.close();
    const small = new Float32Array(2);
    await readSafetensors(path, { into: (name) => (name === "small" ? small : undefined) });
    expect(small).toEqual(Float32Array.of(1, -2));
  });

  test("integers have no place among floats: SAFETENSORS_DTYPE names them", async () => {
    await writeSafetensors(path, tensors);
    const failure = readSafetensors(path, { into: () => new Float32Array(1) });
    const message = expect.stringContaining('tensor "ids"');
    await expect(failure).rejects.toMatchObject({ code: "SAFETENSORS_DTYPE", message });
  });

  test("an array of another length is SAFETENSORS_TENSOR", async () => {
    await writeSafetensors(path, tensors);
    const failure = readSafetensors(path, { into: (name) => (name === "float" ? new Float32Array(5) : undefined) });
    await expect(failure).rejects.toMatchObject({ code: "SAFETENSORS_TENSOR" });
  });

  test("a missing file and a folder are FILE_MISSING", async () => {
    await expect(readSafetensors(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_MISSING" });
    await expect(readSafetensors(folder)).rejects.toMatchObject({ code: "FILE_MISSING" });
  });

  test.each([
    ["no bytes", 0, "SAFETENSORS_HEADER"],
    ["half a length", 4, "SAFETENSORS_HEADER"],
    ["half a header", 40, "SAFETENSORS_HEADER"],
    ["all but one byte", -1, "SAFETENSORS_OFFSETS"],
  ])("a file cut to %s is %s", async (_, end, code) => {
    const whole = Buffer.concat(encodeSafetensors(tensors));
    await writeFile(path, whole.subarray(0, end < 0 ? whole.length + end : end));
    await expect(readSafetensors(path)).rejects.toMatchObject({ code });
    await expect(readSafetensorsHeader(path)).rejects.toMatchObject({ code });
  });

  test("a file that shrinks while it is read is FILE_MISSING", async () => {
    await writeSafetensors(path, tensors);
    const failure = readSafetensors(path, {
      into: (name) => {
        if (name === "double") truncateSync(path, 10);
        return name === "half" ? new Float32Array(6) : undefined;
      },
    });
    await expect(failure).rejects.toMatchObject({ code: "FILE_MISSING" });
  });
});

test("readSafetensorsHeader lists metadata and tensors without their data", async () => {
  await writeSafetensors(path, tensors, { format: "pt" });
  const { metadata, entries } = await readSafetensorsHeader(path);
  expect([...metadata]).toEqual([["format", "pt"]]);
  expect(entries.get("float")).toMatchObject({ dtype: "F32", shape: [2, 3] });
  expect([...entries.keys()]).toEqual(tensors.map(({ name }) => name));
});
