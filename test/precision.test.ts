/** Whoever asks for bfloat16 gets it, or is told what it is instead. */
import { expect, onTestFinished, test, vi } from "vitest";
import { openExecutor } from "../src/executors/executor.node.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { describeNative, onSet, onSetUntil } from "./native-kernels.ts";

test.each(["onnx", "webgpu", "auto"] as const)("bf16 is refused by the device %s, fp32 is not", async (device) => {
  for (const use of ["training", "inference"] as const) {
    await expectError(
      openExecutor({ device, precision: "bf16" }, use),
      "OPTION_INVALID",
      "the precision bf16",
      'expected the device "cpu"',
      `got ${device}`,
    );
    await openExecutor({ device, precision: "fp32" }, use);
  }
});

test.each([
  "cpu",
  "onnx",
  "webgpu",
  "auto",
] as const)("a word that is no precision is refused on %s", async (device) => {
  const options: { precision: "fp32" } = JSON.parse('{ "precision": "float32" }');
  for (const use of ["training", "inference"] as const) {
    await expectError(
      openExecutor({ device, ...options }, use),
      "OPTION_INVALID",
      "that is no precision",
      "auto, fp32, bf16",
      "float32",
    );
  }
});

describeNative("the native executor alone", () => {
  test("refuses it too", async () => {
    const options: { precision: "fp32" } = JSON.parse('{ "precision": "auto" }');
    await expectError((async () => nativeExecutor(options))(), "OPTION_INVALID", "fp32, bf16, int8", "auto");
  });
});

describeNative("a processor without products in bfloat16", (addon) => {
  const lesser = addon.instructionSets.filter(({ bfloat16 }) => !bfloat16);

  test.each(lesser)("computes float32 and says so once, on $name", async (set) => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const opened = async (precision?: "auto" | "fp32" | "bf16") =>
      (await onSetUntil(set, () => openExecutor({ precision }, "training"))).name;
    for (const precision of [undefined, "auto", "fp32"] as const)
      expect(await opened(precision)).toBe("native float32");
    expect(warn).not.toHaveBeenCalled(); // nobody asked for it
    for (let i = 0; i < 2; i++) expect(await opened("bf16")).toBe("native float32");
    const told = `The precision bf16 is computed in float32, as this processor (${set.name}) has no AVX512-BF16.`;
    expect(warn.mock.calls).toEqual([[told, "ClozeWarning"]]);
  });

  test("has the command line say so, on standard error", async () => {
    const name = lesser.find((set) => set.name === "avx2")?.name ?? lesser[0].name;
    const predict = (precision: string) =>
      onSet({ name }, () => cloze(["predict", SHIPPED_MODEL, "The [MASK] barks.", "--precision", precision]));
    const [exact, told] = await Promise.all([predict("fp32"), predict("bf16")]);
    expect(exact).toMatchObject({ code: 0, stderr: "" });
    expect(told).toMatchObject({ code: 0, stdout: exact.stdout });
    expect(told.stderr).toContain(`The precision bf16 is computed in float32, as this processor (${name}) has no`);
  });
});
