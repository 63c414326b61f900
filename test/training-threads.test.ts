/** Fine-tuning on any number of threads ends in the same weights; that single runs do is seen in native-graphs. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FinetuneOptions } from "../src/tasks/finetuning/finetune-options.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { describeBfloat16, describeNative, onSetUntil } from "./native-kernels.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";

let folder: string;
let base: Omit<FinetuneOptions, "output">;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cloze-threads-"));
  base = {
    // With dropout; wide enough for products that are cut into tasks, by their rows and their columns.
    model: await writeTinyModel(join(folder, "model"), {
      config: { hidden_size: 96, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 192 },
      range: 0.1,
    }),
    train: writeRows(join(folder, "train.jsonl"), examples(72)),
    epochs: 2,
    batchSize: 20,
    accumulate: 2,
    clipNorm: 0.1,
    learningRate: 3e-3,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

async function weightsOf(options: Partial<FinetuneOptions>): Promise<string> {
  const output = join(folder, String(++count));
  await finetune("text-classification", { ...base, ...options, output });
  return readFileSync(join(output, "model.safetensors"), "latin1");
}

/** Compared as what is true, since a difference of a million bytes is nothing to print. */
async function expectEqualWeights(precision: "fp32" | "bf16"): Promise<void> {
  const weights = await weightsOf({ precision, threads: 1 });
  for (const threads of [2, 3]) {
    const same = (await weightsOf({ precision, threads })) === weights;
    expect({ threads, same }).toEqual({ threads, same: true });
  }
  expect((await weightsOf({ precision, threads: 2, clipNorm: Infinity })) === weights).toBe(false); // it was clipped
}

describeNative("1, 2 and 3 threads train to the same weights", (addon) => {
  test("in float32", () => expectEqualWeights("fp32"));

  describeBfloat16("bf16", addon, (set) => {
    test("in bfloat16", () => onSetUntil(set, () => expectEqualWeights("bf16")));
  });
});
