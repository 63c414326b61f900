import { totalmem } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { describeNative, NOT_BUILT } from "../../../test/native-kernels.ts";
import { hasAddon } from "./addon.node.ts";
import { chooseSet, keepHere, openMachine } from "./machine.node.ts";
import { encodeCalls } from "./program.ts";

afterEach(() => vi.unstubAllEnvs());

/** As of a processor with AVX2 and no more. */
const addon = {
  instructionSets: [
    { name: "avx2", bfloat16: false, int8: false, panelColumns: 32 },
    { name: "portable", bfloat16: false, int8: false, panelColumns: 32 },
  ],
};

test("the best instruction set is chosen, or the one that CLOZE_ISA names", () => {
  vi.stubEnv("CLOZE_ISA", undefined);
  expect(chooseSet(addon)).toBe(0);
  vi.stubEnv("CLOZE_ISA", "portable");
  expect(chooseSet(addon)).toBe(1);
});

test.each(["avx512", "avx512bf16", "neon", ""])("%j is refused where the processor lacks it", async (name) => {
  vi.stubEnv("CLOZE_ISA", name);
  const choose = async () => chooseSet(addon);
  await expectError(choose(), "OPTION_INVALID", "CLOZE_ISA", "expected avx2, portable");
});

test("memory may be longer than 4 GiB, and kernels write to its end", async ({ skip }) => {
  if (!hasAddon()) skip(NOT_BUILT);
  const bytes = 5 * 2 ** 30;
  if (totalmem() < 2 * bytes) skip("too little memory to promise so much of it");
  const machine = openMachine(1);
  const { buffer, offset } = machine.allocate(bytes); // none of it is taken before it is touched
  const last = offset + bytes - 4;
  const calls = [{ kernel: "fill", arguments: [{ buffer: 0, offset: last }, 1, 0.5] }];
  const program = encodeCalls(calls, machine.kernels, (argument) => argument);
  await machine.run(program, [buffer]);
  expect(new Float32Array(buffer, last, 1)[0]).toBe(0.5);
});

describeNative("a program is refused", () => {
  const buffer = new ArrayBuffer(64);
  const place = { buffer: 0, offset: 0 };
  const machine = () => openMachine(1);
  const encode = (...args: (number | typeof place)[]) =>
    encodeCalls([{ kernel: "fill", arguments: args }], machine().kernels, (argument) => argument);

  test.each([
    ["with fewer arguments than the kernel reads", () => encode(place, 1), "fill was called with fewer"],
    ["with more", () => encode(place, 1, 0.5, 7), "fill was called with more"],
    ["that ends within a call", () => encode(place, 1, 0.5).subarray(0, -1), "ends within a call"],
    ["of no kernel", () => Float64Array.of(999, 0), "a kernel that there is not"],
  ])("%s", async (_, program, message) => {
    await expectError(machine().run(program(), [buffer]), "INTERNAL", message);
    expect(new Float32Array(buffer).subarray(1).every((number) => number === 0)).toBe(true);
  });

  test("that names a memory that the run has not", async () => {
    await expectError(machine().run(encode({ buffer: 1, offset: 0 }, 1, 0.5), [buffer]), "INTERNAL");
  });

  test("of buffers that were transferred, or that threads share", async () => {
    const gone = new ArrayBuffer(64);
    structuredClone(gone, { transfer: [gone] });
    for (const bad of [gone, new SharedArrayBuffer(64)]) {
      await expectError(machine().run(encode(place, 1, 0.5), [bad]), "INPUT_SHAPE", "SharedArrayBuffer", "transferred");
    }
  });

  test("of memory that could go in the middle of it", () => {
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]);
    expect(() => keepHere(resizable)).toThrow("a buffer that can be resized");
    expect(() => keepHere(new SharedArrayBuffer(64))).toThrow("SharedArrayBuffer");
  });
});
