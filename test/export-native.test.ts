/** Folders whose weights are packed for this processor: the same answers, packed weights read when first used, clear refusals. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeSafetensors } from "../src/formats/safetensors.ts";
import { type ExecutorOptions, exportNative, FeatureExtractor, finetune, pipeline } from "../src/index.ts";
import { storedWeights } from "../src/tasks/folder/model-folder.node.ts";
import { NATIVE_WEIGHTS, NativeWeights } from "../src/tasks/folder/native-weights.node.ts";
import { cloze } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { describeNative, LACKS, onSetUntil } from "./native-kernels.ts";
import { examples, writeRows, writeTinyModel, writeTinyPretrainedModel } from "./tiny-model.ts";

const NORM = "bert.embeddings.LayerNorm.weight";
const POOLER = "bert.pooler.dense.weight";
/** Where Linux lists the files that lie in the memory of a process. */
const MAPS = "/proc/self/maps";
const NUMBERS = { fp32: "float32", bf16: "bfloat16", int8: "int8" } as const;
const TEXTS = examples(9).map(({ text }) => text);

let folder: string;
let classifier: string;
let pretrained: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-export-"));
  classifier = await writeTinyModel(join(folder, "classifier"));
  pretrained = await writeTinyPretrainedModel(join(folder, "pretrained"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function exported(model: string, precision: "fp32" | "bf16" | "int8"): Promise<string> {
  const output = join(folder, `exported-${++count}`);
  await exportNative(model, { output, precision });
  return output;
}

/** A copy of an exported classifier with some damage to its file of weights. */
async function damaged(damage: (path: string) => void): Promise<string> {
  const output = await exported(classifier, "fp32");
  damage(join(output, NATIVE_WEIGHTS));
  return output;
}

async function classify(path: string, options: Parameters<typeof pipeline>[2] = {}) {
  const model = await pipeline("text-classification", path, options);
  const answers = await model(TEXTS);
  await model.dispose();
  return answers;
}

describeNative("an exported folder", ({ instructionSets }) => {
  const [best] = instructionSets;
  const precisions: ("fp32" | "bf16" | "int8")[] = ["fp32"];
  for (const precision of ["bf16", "int8"] as const) {
    if (best[NUMBERS[precision]]) precisions.push(precision);
    else test(`in ${precision}`, ({ skip }) => skip(LACKS[precision]));
  }

  test.each(precisions)("in %s answers as the model itself does, to the bit", async (precision) => {
    const output = await exported(classifier, precision);
    expect(readdirSync(output)).not.toContain("model.safetensors");
    expect(await classify(output)).toEqual(await classify(classifier, { precision }));
    expect(await classify(output, { device: "auto", precision })).toEqual(await classify(classifier, { precision }));
  });

  test.each(precisions)("in %s is evaluated and embeds on the command line as the model itself", async (precision) => {
    const output = await exported(classifier, precision);
    const data = writeRows(join(folder, "dev.jsonl"), examples(12));
    const ask = async (model: string, ...options: string[]) => {
      const texts = ["embed", model, "--input", data, "--threads", "1", ...options];
      const [evaluated, embedded] = await Promise.all([
        cloze(["evaluate", model, "--data", data, "--json", "--threads", "1", ...options]),
        cloze(texts),
      ]);
      expect([evaluated, embedded]).toMatchObject([{ code: 0 }, { code: 0 }]);
      expect(JSON.parse(evaluated.stdout)).toMatchObject({ examples: 12 });
      expect(embedded.stdout.trimEnd().split("\n")).toHaveLength(12);
      return [evaluated.stdout, embedded.stdout];
    };
    expect(await ask(output)).toEqual(await ask(classifier, "--precision", precision));
  });

  test.each(
    precisions,
  )("in %s of a pre-trained model fills masks, judges pairs and gives features", async (precision) => {
    const output = await exported(pretrained, precision);
    const ask = async (path: string) => {
      const fill = await pipeline("fill-mask", path, { precision });
      const judge = await pipeline("next-sentence", path, { precision });
      const features = await FeatureExtractor.open(path, { precision });
      const answers = [
        await fill("a [MASK] b"),
        await judge({ text: "good", text_pair: "bad" }),
        await features.tokenFeatures([{ text: "good" }], { layers: "0" }),
        await features.tokenFeatures([{ text: "good" }]),
      ];
      await Promise.all([fill.dispose(), judge.dispose(), features.dispose()]);
      return answers;
    };
    expect(await ask(output)).toEqual(await ask(pretrained));
  });

  test.each(precisions)("in %s packs nothing again: its weights are the file's own bytes", async (precision) => {
    const output = await exported(classifier, precision);
    const native = await NativeWeights.open(output);
    if (existsSync(MAPS)) expect(readFileSync(MAPS, "utf8")).toContain(join(output, NATIVE_WEIGHTS));
    const weights = [...native!.weights.values()];
    const pooler = native!.weights.get(POOLER);
    expect(pooler?.plain).toBeUndefined();
    expect(pooler?.packed?.form).toBe(`${NUMBERS[precision]} panels of ${best.panelColumns} rows`);
    expect(new Set(weights.map(({ plain, packed }) => (plain ?? packed?.data)?.buffer)).size).toBe(1);
    expect(new Set(weights.map(({ packed }) => (packed?.data.byteOffset ?? 0) % 64))).toEqual(new Set([0]));
  });

  test.each(precisions)("in %s is the same file each time, also with odd sizes", async (precision) => {
    const model = await writeTinyModel(join(folder, `odd-${precision}`), { config: { intermediate_size: 45 } });
    const [first, second] = [await exported(model, precision), await exported(model, precision)];
    const [a, b] = [first, second].map((output) => readFileSync(join(output, NATIVE_WEIGHTS)));
    expect(a.equals(b)).toBe(true);
    expect(await classify(first)).toEqual(await classify(model, { precision }));
  });

  test("says what its weights are, each once, by their own names and shapes", async () => {
    const own = (await storedWeights(pretrained)).map(({ name, shape }) => ({ name, shape }));
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    const stored = await storedWeights(await exported(pretrained, "fp32"));
    expect(stored.map(({ name, shape }) => ({ name, shape })).sort(byName)).toEqual(own.sort(byName));
    const words = stored.find(({ name }) => name === "bert.embeddings.word_embeddings.weight");
    expect(words?.dtype).toMatch(/^F32 and float32 panels/); // looked up, and multiplied with by the masked-LM head
  });

  test("is not read in another precision, nor by ONNX Runtime", async () => {
    const output = await exported(classifier, "fp32");
    const wrong: ExecutorOptions[] = [{ device: "onnx" }];
    if (best.bfloat16) wrong.push({ precision: "bf16" });
    for (const options of wrong) {
      await expectError(classify(output, options), "WEIGHTS_PACKED", NATIVE_WEIGHTS, "in fp32", "float32 panels");
    }
  });

  test("is not read by an instruction set with other panels", async ({ skip }) => {
    const other = instructionSets.find(({ panelColumns }) => panelColumns !== best.panelColumns);
    if (other === undefined) return skip("all instruction sets of this processor have the same panels");
    const output = await exported(classifier, "fp32");
    const read = onSetUntil(other, () => classify(output));
    await expectError(read, "WEIGHTS_PACKED", "export the model again on this machine");
  });

  test.for([
    ["bf16", "WEIGHTS_PACKED", "in bf16, which read bfloat16 panels"],
    ["int8", "OPTION_INVALID", "AVX512-VNNI"],
  ] as const)("in %s is neither read nor written by an instruction set without such numbers", async ([
    precision,
    code,
    part,
  ], { skip }) => {
    const lesser = instructionSets.find((set) => !set[NUMBERS[precision]])!;
    const write = onSetUntil(lesser, () => exported(classifier, precision));
    await expectError(write, "OPTION_INVALID", `the precision ${precision} needs`, `got ${lesser.name}`);
    if (!precisions.includes(precision)) return skip(LACKS[precision]);
    const output = await exported(classifier, precision);
    await expectError(
      onSetUntil(lesser, () => classify(output)),
      code,
      part,
    );
  });

  test("is not trained further", async () => {
    const train = writeRows(join(folder, "train.jsonl"), examples(8));
    const model = await exported(classifier, "fp32");
    const training = finetune("text-classification", { model, train, output: join(folder, "trained") });
    await expectError(training, "WEIGHTS_PACKED", "packed for inference", "exported from");
  });

  test("is refused where it is truncated, foreign or not of its config.json", async () => {
    const bad: readonly (readonly [Parameters<typeof expectError>[1], string, (path: string) => void])[] = [
      ["SAFETENSORS_OFFSETS", "bytes of data", (path) => truncateSync(path, readFileSync(path).length - 5)],
      ["SAFETENSORS_HEADER", NATIVE_WEIGHTS, (path) => truncateSync(path, 5)],
      ["FILE_MISSING", NATIVE_WEIGHTS, (path) => truncateSync(path, 0)],
      ["SAFETENSORS_HEADER", "cloze-native-1", (path) => cpSync(join(classifier, "model.safetensors"), path)],
      ["MODEL_INCOMPLETE", "weights", (path) => writeWeights(path, {})],
      ["PARAMETER_SHAPE", "[32, 32]", (path) => writeWeights(path, { shapes: { [POOLER]: [32, 31] } })],
      ["SAFETENSORS_TENSOR", "4096 bytes of float32 panels", (path) => writeWeights(path, { cut: POOLER })],
      ["SAFETENSORS_HEADER", "shapes", (path) => writeWeights(path, { metadata: { shapes: "[" } })],
      ["WEIGHTS_NOT_FINITE", `${NORM} has numbers`, (path) => writeWeights(path, { spoil: NORM })],
    ];
    for (const [code, text, damage] of bad) await expectError(classify(await damaged(damage)), code, text);
  });

  test("is not written over anything, nor made of a model with numbers that are not finite", async () => {
    await expectError(
      exportNative(classifier, { output: pretrained, precision: "fp32" }),
      "OUTPUT_NOT_EMPTY",
      "another folder",
    );
    const spoilt = await writeTinyModel(join(folder, "spoilt"), {
      change: (parameters) => {
        parameters.get(POOLER).data[77] = Number.NaN;
      },
    });
    const output = join(folder, "of-spoilt");
    await expectError(exportNative(spoilt, { output, precision: "fp32" }), "WEIGHTS_NOT_FINITE", POOLER, "NaN", "77");
    await expectError(classify(spoilt), "WEIGHTS_NOT_FINITE", POOLER);
  });

  test("is what the command writes", async () => {
    const output = join(folder, "by-command");
    const args = ["--format", "native", "--precision", "fp32", "--output", output];
    const written = await cloze(["export", classifier, ...args]);
    expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining("packed for fp32"), stderr: "" });
    const { stdout } = await cloze(["predict", output, TEXTS[0]]);
    expect(JSON.parse(stdout).label).toBe((await classify(classifier))[0].label);
    expect((await cloze(["info", output])).stdout).toContain("float32 panels of");
  });
});

/** Writes an exported file anew with other shapes or metadata, with one packed weight cut short, or with NaN in a weight. */
function writeWeights(
  path: string,
  change: {
    readonly shapes?: Readonly<Record<string, readonly number[]>>;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly cut?: string;
    readonly spoil?: string;
  },
): void {
  const file = readFileSync(path);
  const end = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: metadata, ...entries } = JSON.parse(file.toString("utf8", 8, end));
  const tensors = Object.entries<{ dtype: "U8" | "F32"; shape: number[]; data_offsets: [number, number] }>(entries).map(
    ([name, { dtype, shape, data_offsets: offsets }]) => {
      const [from, to] = offsets.map((offset) => end + offset);
      const whole = { name, dtype, shape, data: Uint8Array.from(file.subarray(from, to)) };
      if (name === change.spoil) new DataView(whole.data.buffer).setFloat32(4, Number.NaN, true);
      if (change.cut === undefined || !name.startsWith(change.cut)) return whole;
      return { ...whole, shape: [64], data: whole.data.subarray(0, 64) };
    },
  );
  const shapes = JSON.stringify({ ...JSON.parse(metadata.shapes), ...change.shapes });
  const kept = Object.keys(change).length === 0 ? [] : tensors;
  writeFileSync(path, Buffer.concat(encodeSafetensors(kept, { ...metadata, shapes, ...change.metadata }, 64)));
}
