/** Whoever asks for bfloat16 gets it, or is told what it is instead. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openExecutor } from "../src/executors/executor.node.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { describeBfloat16, describeNative, onSet, onSetUntil } from "./native-kernels.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";

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

describeNative("a processor with products in bfloat16", (addon) => {
  describeBfloat16("unless told otherwise", addon, (set) => {
    test("trains in it and predicts in float32", async () => {
      for (const options of [{}, { precision: "auto" }] as const) {
        const opened = (use: "training" | "inference") => onSetUntil(set, () => openExecutor(options, use));
        expect((await opened("training")).name).toBe("native bfloat16");
        expect((await opened("inference")).name).toBe("native float32");
      }
    });

    test("fine-tunes to the weights that bf16 gives, not to those of fp32", async () => {
      const folder = mkdtempSync(join(tmpdir(), "cloze-precision-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const model = await writeTinyModel(join(folder, "model"));
      const train = writeRows(join(folder, "train.jsonl"), examples(16));
      const weightsIn = async (precision?: "auto" | "fp32" | "bf16") => {
        const output = join(folder, `in-${precision}`);
        const options = { model, train, output, epochs: 2, batchSize: 8, learningRate: 3e-3, threads: 1 };
        await onSetUntil(set, () => finetune("text-classification", { ...options, precision }));
        return readFileSync(join(output, "model.safetensors"), "latin1");
      };
      const [told, auto] = [await weightsIn("bf16"), await weightsIn("auto")];
      expect(await weightsIn()).toBe(told);
      expect(auto).toBe(told);
      expect(await weightsIn("fp32")).not.toBe(told);
    });
  });
});
