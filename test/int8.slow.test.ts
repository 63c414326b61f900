/** What 8-bit integers and bfloat16 change on real data: almost no answer. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { finetune, pipeline } from "../src/index.ts";
import { describeNative } from "./native-kernels.ts";

const SST2 = join(import.meta.dirname, "../../shared/data/sst2");
const TRAINED_ON = 16_000;

describeNative("int8 and bf16 on real data", (addon) => {
  test("a fine-tuned model gives at least 99% of the dev sentences of SST-2 the label that it gives in float32", async ({
    skip,
  }) => {
    if (!addon.instructionSets[0].int8) skip("this processor does not multiply 8-bit integers");
    if (!existsSync(SST2)) skip("the folder shared/data/sst2 is not beside the project");
    const folder = mkdtempSync(join(tmpdir(), "cloze-int8-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [header, ...rows] = readFileSync(join(SST2, "train.tsv"), "utf8").trimEnd().split("\n");
    const step = Math.floor(rows.length / TRAINED_ON);
    const some = rows.filter((_, i) => i % step === 0);
    writeFileSync(join(folder, "train.tsv"), `${[header, ...some].join("\n")}\n`);
    const model = join(folder, "model");
    await finetune("text-classification", {
      train: join(folder, "train.tsv"),
      textColumn: "sentence",
      output: model,
      epochs: 1,
      batchSize: 32,
      learningRate: 3e-4,
      maxLength: 64,
    });

    const [, ...dev] = readFileSync(join(SST2, "dev.tsv"), "utf8").trimEnd().split("\n");
    const sentences = dev.map((line) => line.split("\t")[0]);
    const labelsIn = async (precision: "fp32" | "bf16" | "int8") => {
      const classify = await pipeline("text-classification", model, { precision });
      const labels = (await classify(sentences)).map(({ label }) => label);
      await classify.dispose();
      return labels;
    };
    const exact = await labelsIn("fp32");
    const agreeing = async (precision: "bf16" | "int8") => {
      const labels = await labelsIn(precision);
      return exact.filter((label, i) => label === labels[i]).length / dev.length;
    };
    const right = dev.filter((line, i) => line.split("\t")[1] === exact[i]).length / dev.length;
    expect(right).toBeGreaterThan(0.7); // a model that has learnt something to lose
    const inInt8 = await agreeing("int8");
    const inBf16 = addon.instructionSets[0].bfloat16 ? await agreeing("bf16") : undefined; // else it is float32
    console.log(
      `SST-2 dev: ${dev.length} sentences, ${right} right in float32, the same in int8: ${inInt8}, bf16: ${inBf16}`,
    );
    expect(inInt8).toBeGreaterThanOrEqual(0.99);
    if (inBf16 !== undefined) expect(inBf16).toBeGreaterThanOrEqual(0.99);
  }, 1_800_000);
});
