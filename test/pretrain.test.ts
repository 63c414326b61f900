/** Pre-training from a prepared corpus to a model folder; stopped and resumed it ends in the same bytes. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeEvents } from "../src/formats/tensorboard.ts";
import { storedWeights } from "../src/tasks/folder/model-folder.node.ts";
import { evaluatePretraining } from "../src/tasks/pretraining/evaluate-pretraining.node.ts";
import { type PretrainEvent, type PretrainOptions, pretrain } from "../src/tasks/pretraining/pretrain.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { expectError } from "./expect-error.ts";
import { withoutKernels } from "./native-kernels.ts";
import { type TinyCorpus, writeTinyCorpus } from "./tiny-corpus.ts";
import { examples, writeRows } from "./tiny-model.ts";
import { logOf } from "./training-files.ts";

let folder: string;
let corpus: TinyCorpus;
let base: Omit<PretrainOptions, "output">;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pretrain-"));
  corpus = await writeTinyCorpus(join(folder, "corpus"));
  base = {
    data: [corpus.data],
    model: corpus.config, // with dropout
    vocab: corpus.vocab,
    heldOut: [corpus.text],
    heldOutText: { lines: "sentence" },
    steps: 24, // an epoch has about nine
    batchTokens: 48,
    maxLength: 24,
    learningRate: 3e-3,
    evaluateEvery: 7,
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const fresh = () => join(folder, String(++count));

/** What a training makes: not its logs, which tell the time that it took. */
const MODEL = ["config.json", "metrics.json", "model.safetensors", "tokenizer.json", "vocab.txt"];

function modelOf(output: string): Record<string, string> {
  return Object.fromEntries(MODEL.map((name) => [name, readFileSync(join(output, name), "latin1")]));
}

/** Every file below a folder. */
function contentOf(output: string): Record<string, string> {
  const files = readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, "latin1")]));
}

async function undisturbed(options: Partial<PretrainOptions> = {}): Promise<Record<string, string>> {
  const output = fresh();
  await pretrain({ ...base, ...options, output });
  return modelOf(output);
}

/** Runs a training that stops, with a checkpoint, after a step. */
async function stopAfter(step: number, options: Partial<PretrainOptions> & { output: string }): Promise<void> {
  const controller = new AbortController();
  const onEvent = (event: PretrainEvent) => {
    if (event.kind === "step" && event.step === step) controller.abort();
  };
  const stopped = pretrain({ ...base, ...options, onEvent, signal: controller.signal });
  await expectError(stopped, "ABORTED", `step ${step} of`, "--resume");
}

function stepsIn(output: string): number[] {
  const lines = readFileSync(join(output, "log.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).step);
}

describe("what comes out", () => {
  test("is a folder in Hugging Face's layout that fine-tuning starts from", async () => {
    const output = fresh();
    const events: PretrainEvent[] = [];
    const result = await pretrain({ ...base, output, onEvent: (event) => void events.push(event) });
    expect(result).toMatchObject({ output, steps: 24, totalSteps: 24, metrics: { sequences: expect.any(Number) } });
    const names = readdirSync(output).map((name) => name.replace(/\.\d+\.cloze$/, ""));
    expect(names.sort()).toEqual([
      "README.md",
      "config.json",
      "curves.svg",
      "events.out.tfevents",
      "log.jsonl",
      "metrics.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "training.json",
      "vocab.txt",
    ]);
    const { architectures } = JSON.parse(readFileSync(join(output, "config.json"), "utf8"));
    expect(architectures).toEqual(["BertForPreTraining"]);
    expect(new Set(events.map(({ kind }) => kind))).toEqual(
      new Set(["data", "heldOut", "model", "step", "evaluation", "checkpoint"]),
    );
    const steps = events.filter((event) => event.kind === "step");
    expect(steps.at(-1)?.total.tokens).toBe(result.tokens);
    for (const { tokens } of steps) expect(tokens).toBeLessThanOrEqual(48);

    const train = writeRows(join(folder, "train.jsonl"), examples(8));
    const finetuned = await finetune("text-classification", {
      model: output,
      train,
      output: fresh(),
      epochs: 1,
      maxLength: 24,
      threads: 1,
    });
    expect(finetuned.labels).toEqual(["negative", "positive"]);
  });

  test("without pairs is BertForMaskedLM, and needs no pooler", async () => {
    const output = fresh();
    await pretrain({ ...base, output, pairs: "none", steps: 2 });
    const names = (await storedWeights(output)).map(({ name }) => name);
    expect(names.filter((name) => /pooler|seq_relationship/.test(name))).toEqual([]);
    expect(names).toContain("cls.predictions.bias");
    const pairs = evaluatePretraining(output, { data: [corpus.text], pairs: "next-sentence", threads: 1 });
    await expectError(pairs, "MODEL_INCOMPLETE", "no head to judge pairs", "--pairs none");
    const train = writeRows(join(folder, "train-masked.jsonl"), examples(8));
    await finetune("text-classification", {
      model: output,
      train,
      output: fresh(),
      epochs: 1,
      maxLength: 24,
      threads: 1,
    });
  });

  test("can be stored in half the room", async () => {
    const output = fresh();
    await pretrain({ ...base, output, steps: 2, weights: "float16" });
    expect(new Set((await storedWeights(output)).map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
    const again = fresh();
    await pretrain({ ...base, model: output, vocab: undefined, output: again, steps: 2 });
    expect(new Set((await storedWeights(again)).map(({ dtype }) => dtype))).toEqual(new Set(["F32"]));
  });

  test.each(["whole-word", "span"] as const)("learns with masks by %s, and pairs in order or not", async (mask) => {
    const result = await pretrain({ ...base, output: fresh(), mask, pairs: "sentence-order", steps: 3, duplicates: 2 });
    expect(result.metrics).toMatchObject({ nextSentenceAccuracy: expect.any(Number) });
  });

  test("learns: the loss falls on what it sees again and again", async () => {
    const output = fresh();
    const losses: number[] = [];
    const onEvent = (event: PretrainEvent) => {
      if (event.kind === "evaluation") losses.push(Number(event.evaluation.metrics.maskedLoss));
    };
    await pretrain({ ...base, output, steps: 150, evaluateEvery: 10, dropout: 0, onEvent });
    expect(losses.at(-1)).toBeLessThan(losses[0] - 0.1);
  });

  test("is measured alike by `evaluate`", async () => {
    const output = fresh();
    const { metrics } = await pretrain({ ...base, output, steps: 5 });
    const reading = { lines: "sentence" } as const;
    const again = await evaluatePretraining(output, { data: [corpus.text], reading, maxLength: 24, threads: 1 });
    expect(again.metrics).toEqual(metrics);
    const asTrained = await evaluatePretraining(output, { data: [corpus.text], reading, threads: 1 });
    expect(asTrained.metrics).toEqual(metrics);
    const ordered = fresh();
    const order = await pretrain({ ...base, output: ordered, pairs: "sentence-order", maskRate: 0.3, maxHours: 1e-9 });
    const orderAgain = await evaluatePretraining(ordered, { data: [corpus.text], reading, threads: 1 });
    expect(orderAgain.metrics).toEqual(order.metrics); // also where the time was over before the end
    const masksAlone = await evaluatePretraining(output, { data: [corpus.text], reading, pairs: "none", threads: 1 });
    expect(masksAlone.metrics).not.toHaveProperty("nextSentenceAccuracy");
  });
});

describe.each<Partial<PretrainOptions>>([
  { optimizer: "adamw", accumulate: 3 },
  { optimizer: "lamb", schedule: "one-cycle" },
  { lastStage: { maxLength: 40, share: 0.5 }, pairs: "none", schedule: "cosine" },
])("with %j", (options) => {
  let expected: Record<string, string>;
  beforeAll(async () => {
    expected = await undisturbed(options);
  });

  test.each([1, 5, 12, 13, 23])("stopped after step %i and resumed it ends in the same bytes", async (step) => {
    const output = fresh();
    await stopAfter(step, { ...options, output });
    const events: PretrainEvent[] = [];
    await pretrain({ ...base, ...options, output, resume: true, onEvent: (event) => void events.push(event) });
    expect(events).toContainEqual({ kind: "resumed", step, changed: undefined });
    expect(modelOf(output)).toEqual(expected);
  });

  test("stopped by the time, again and again, it ends in the same bytes", async () => {
    const output = fresh();
    let result = await pretrain({ ...base, ...options, output, maxHours: 1e-9 });
    expect(result.steps).toBe(1);
    for (let i = 0; result.steps < 24; i++) {
      // A model folder is there each time, of what was reached.
      expect(modelOf(output)["model.safetensors"].length).toBe(expected["model.safetensors"].length);
      result = await pretrain({ ...base, ...options, output, maxHours: i < 2 ? 1e-5 : undefined, resume: true });
    }
    expect(modelOf(output)).toEqual(expected);
  });
});

describe("checkpoints and logs", () => {
  test("as many checkpoints stay as are asked for, the latest", async () => {
    const output = fresh();
    await stopAfter(11, { output, checkpointEvery: 2, keep: 3 });
    expect(readdirSync(join(output, "checkpoints")).sort()).toEqual(["step-10", "step-11", "step-8"]);
  });

  test("the latest one missing, the one before is resumed from", async () => {
    const output = fresh();
    await stopAfter(11, { output, checkpointEvery: 2 });
    rmSync(join(output, "checkpoints/step-11"), { recursive: true });
    await pretrain({ ...base, output, resume: true });
    expect(modelOf(output)).toEqual(await undisturbed());
  });

  test("by ONNX Runtime, stopped after step 3, ends in the bytes of one that was not", async () => {
    const options = { device: "onnx", steps: 6, evaluateEvery: 3 } as const;
    const [expected, resumed] = await withoutKernels(async () => {
      const output = fresh();
      await stopAfter(3, { ...options, output });
      await pretrain({ ...base, ...options, output, resume: true });
      return [await undisturbed(options), modelOf(output)];
    });
    expect(resumed).toEqual(expected);
  });

  test("a resumed training leaves no point twice in its logs", async () => {
    const output = fresh();
    await stopAfter(21, { output, checkpointEvery: 9 });
    rmSync(join(output, "checkpoints/step-21"), { recursive: true }); // as if it had been killed
    await pretrain({ ...base, output, resume: true });
    expect(stepsIn(output)).toEqual([7, 9, 10, 14, 18, 20, 21, 24, 24]);
    const name = readdirSync(output).find((file) => file.startsWith("events."));
    const events = decodeEvents(readFileSync(join(output, name!)));
    expect(events.map(({ step }) => step)).toEqual([0, 7, 9, 10, 14, 18, 20, 21, 24, 24]);
    expect(Object.keys(events[1].scalars)).toContain("heldOut/maskedLoss");
  });

  test("what is measured where the time is over is logged, and stops where it is told to", async () => {
    const output = fresh();
    const { metrics } = await pretrain({ ...base, output, maxHours: 1e-9 });
    expect(logOf(output)).toContainEqual(
      expect.objectContaining({ step: 1, "heldOut/maskedLoss": metrics?.maskedLoss }),
    );
    await stopAfter(1, { output: fresh(), maxHours: 1e-9 });
  });

  test("what was measured last is measured again after a kill, not logged again, and stops where it is told to", async () => {
    const output = fresh();
    const obstacle = join(output, "README.md");
    const onEvent = ({ kind }: PretrainEvent) => {
      if (kind === "evaluation") mkdirSync(obstacle);
    };
    await expectError(pretrain({ ...base, output, steps: 3, onEvent }), "FILE_NOT_WRITABLE", obstacle);
    const logged = stepsIn(output);
    const stopped = pretrain({ ...base, output, steps: 3, resume: true, signal: AbortSignal.abort() });
    await expectError(stopped, "ABORTED", "step 3 of 3", "--resume");
    rmdirSync(obstacle);
    await pretrain({ ...base, output, steps: 3, resume: true });
    expect(modelOf(output)).toEqual(await undisturbed({ steps: 3 }));
    expect(stepsIn(output)).toEqual(logged);
  });

  test("a finished training says so and gives its result again", async () => {
    const output = fresh();
    const result = await pretrain({ ...base, output, steps: 3 });
    const before = modelOf(output);
    const events: PretrainEvent[] = [];
    const again = await pretrain({
      ...base,
      output,
      steps: 3,
      resume: true,
      onEvent: (event) => void events.push(event),
    });
    expect(again).toEqual(result);
    expect(events.at(-1)).toEqual({ kind: "ended", steps: 3 });
    expect(modelOf(output)).toEqual(before);
    const longer = pretrain({ ...base, output, steps: 4, resume: true, force: true });
    await expectError(longer, "RESUME_MISMATCH", "steps 3", "steps 4", "--model");
  });

  test("a kill between record and clean-up leaves nothing behind in the end", async () => {
    const output = fresh();
    await stopAfter(2, { output, steps: 3 });
    const checkpoints = join(output, "checkpoints");
    const kept = fresh();
    cpSync(checkpoints, kept, { recursive: true });
    await pretrain({ ...base, output, steps: 3, resume: true });
    cpSync(kept, checkpoints, { recursive: true });
    await pretrain({ ...base, output, steps: 3, resume: true });
    expect(readdirSync(output).filter((name) => name.includes("checkpoints"))).toEqual([]);
  });

  test("figures of an earlier model do not stay", async () => {
    const output = fresh();
    await pretrain({ ...base, output, steps: 2 });
    await pretrain({ ...base, output, steps: 2, overwrite: true, heldOut: undefined });
    expect(readdirSync(output)).not.toContain("metrics.json");
  });

  test.each(["data", "heldOut", "model", "step", "evaluation"])("a callback that fails at %s ends it", async (kind) => {
    const onEvent = async (event: PretrainEvent) => {
      if (event.kind === kind) throw new Error("enough");
    };
    await expect(pretrain({ ...base, output: fresh(), steps: 2, onEvent })).rejects.toThrow("enough");
  });

  test.each([{ warmupSteps: 3 }, { clipNorm: 0 }])("%j is refused before anything is given up", async (wrong) => {
    const output = fresh();
    await pretrain({ ...base, output, steps: 2 });
    const before = readdirSync(output);
    const impossible = pretrain({ ...base, output, steps: 2, overwrite: true, ...wrong });
    await expectError(impossible, "OPTION_INVALID", Object.keys(wrong)[0]);
    expect(readdirSync(output)).toEqual(before);
  });

  test("a damaged checkpoint can be taken away, and the one before serves", async () => {
    const output = fresh();
    await stopAfter(11, { output, checkpointEvery: 2 });
    writeFileSync(join(output, "checkpoints/step-11/state.json"), "{");
    await expectError(
      pretrain({ ...base, output, resume: true }),
      "CHECKPOINT_MALFORMED",
      "step-11",
      "Take its folder",
    );
  });

  test("a config.json that was edited is a changed setting", async () => {
    const output = fresh();
    const model = join(folder, "edited.json");
    cpSync(corpus.config, model);
    await stopAfter(5, { output, model });
    writeFileSync(model, readFileSync(model, "utf8").replace('"gelu"', '"relu"'));
    await expectError(pretrain({ ...base, model, output, resume: true }), "RESUME_MISMATCH", "architecture ");
  });

  test("positions that no stage reached are not claimed", async () => {
    const lastStage = { maxLength: 40, share: 0.5 };
    const lengthOf = (output: string) =>
      JSON.parse(readFileSync(join(output, "tokenizer_config.json"), "utf8")).model_max_length;
    const output = fresh();
    await pretrain({ ...base, output, lastStage, maxHours: 1e-9 });
    expect(lengthOf(output)).toBe(24);
    await pretrain({ ...base, output, lastStage, resume: true });
    expect(lengthOf(output)).toBe(40);
    const further = fresh();
    await pretrain({ ...base, model: output, vocab: undefined, output: further, steps: 1 });
    expect(lengthOf(further)).toBe(40); // its positions were trained before
  });

  test("a changed setting is named, and accepted with force", async () => {
    const output = fresh();
    await stopAfter(5, { output });
    const changed = { ...base, output, resume: true, learningRate: 1e-3, maskRate: 0.2 };
    await expectError(
      pretrain(changed),
      "RESUME_MISMATCH",
      "learningRate 0.003",
      "learningRate 0.001",
      "maskRate 0.2",
      "--force",
    );
    const events: PretrainEvent[] = [];
    await pretrain({ ...changed, force: true, onEvent: (event) => void events.push(event) });
    expect(events).toContainEqual({ kind: "resumed", step: 5, changed: expect.stringContaining("maskRate 0.15 -> ") });
  });

  test.each(["stopped", "out of time"])("fewer steps than were made are refused with force too: %s", async (how) => {
    const output = fresh();
    if (how === "stopped") await stopAfter(5, { output });
    else {
      await pretrain({ ...base, output, maxHours: 1e-9 });
      await pretrain({ ...base, output, maxHours: 1e-9, resume: true });
      expect(readdirSync(output)).toContain("metrics.json");
    }
    const before = contentOf(output);
    const made = how === "stopped" ? 5 : 2;
    const fewer = { ...base, output, resume: true, force: true, steps: made - 1 };
    await expectError(pretrain(fewer), "OPTION_INVALID", `${made} --steps or more`, `got ${made - 1}`);
    expect(contentOf(output)).toEqual(before);
    expect(await pretrain({ ...fewer, steps: made })).toMatchObject({ steps: made, totalSteps: made });
  });

  test("a fine-tuning is not resumed in the folder of a pre-training that has ended", async () => {
    const output = fresh();
    await pretrain({ ...base, output, steps: 2 });
    const before = contentOf(output);
    const train = writeRows(join(folder, "train-resumed.jsonl"), examples(8));
    const record = join(output, "training.json");
    const resumed = () =>
      finetune("text-classification", { model: output, train, output, maxLength: 24, resume: true });
    await expectError(resumed(), "CHECKPOINT_MALFORMED", record, "Name another --output, or start anew");
    await expect(resumed()).rejects.not.toThrow("Take its folder away");
    expect(contentOf(output)).toEqual(before);
  });

  test("another corpus is a changed setting", async () => {
    const output = fresh();
    await stopAfter(5, { output });
    const other = await writeTinyCorpus(fresh(), { seed: 2 });
    await expectError(pretrain({ ...base, data: [other.data], output, resume: true }), "RESUME_MISMATCH", "corpus ");
  });
});

describe("bad input", () => {
  /** A copy of the corpus, to be damaged: its folder and its shard. */
  function copy(): { data: string; shard: string } {
    const data = fresh();
    cpSync(corpus.data, data, { recursive: true });
    return { data, shard: join(data, readdirSync(data).find((name) => name.endsWith(".safetensors"))!) };
  }

  test("a shard that vanishes during training: what was learnt is kept", async () => {
    const { data, shard } = copy();
    const output = fresh();
    const onEvent = (event: PretrainEvent) => {
      if (event.kind === "step" && event.step === 3) renameSync(shard, `${shard}.away`);
    };
    await expectError(pretrain({ ...base, data: [data], output, onEvent }), "SHARD_MISSING", shard);
    const kept = readdirSync(join(output, "checkpoints"));
    expect(kept).toHaveLength(1); // the shard was held in memory to the end of its epoch
    renameSync(`${shard}.away`, shard);
    await pretrain({ ...base, data: [data], output, resume: true });
    expect(modelOf(output)).toEqual(await undisturbed());
  });

  test("a truncated shard", async () => {
    const { data, shard } = copy();
    truncateSync(shard, 100);
    await expectError(pretrain({ ...base, data: [data], output: fresh() }), "SHARD_MALFORMED", shard);
  });

  test("a shard of other content", async () => {
    const { data, shard } = copy();
    const bytes = readFileSync(shard);
    bytes[bytes.length - 5] ^= 1;
    writeFileSync(shard, bytes);
    await expectError(pretrain({ ...base, data: [data], output: fresh() }), "SHARD_MALFORMED", "sha256");
  });

  test("a corpus prepared with another vocabulary", async () => {
    const vocab = fresh();
    mkdirSync(vocab);
    const tokens = readFileSync(join(corpus.vocab, "vocab.txt"), "utf8").replace("good\nbad", "bad\ngood");
    writeFileSync(join(vocab, "vocab.txt"), tokens);
    await expectError(pretrain({ ...base, vocab, output: fresh() }), "VOCABULARY_MISMATCH", "prepared with another");
  });

  test("a corpus of one document has no sentence from another one", async () => {
    const { data } = await writeTinyCorpus(fresh(), { documents: 1 });
    const output = fresh();
    await expectError(pretrain({ ...base, data: [data], output }), "CORPUS_TOO_SMALL", "--pairs none");
    await pretrain({ ...base, data: [data], output, overwrite: true, pairs: "none", steps: 2, heldOut: undefined });
  });

  test("a shard of one document is passed over where others make pairs, and that is said", async () => {
    const { data } = await writeTinyCorpus(fresh(), { documents: 1 });
    const events: PretrainEvent[] = [];
    const onEvent = (event: PretrainEvent) => void events.push(event);
    await pretrain({ ...base, data: [corpus.data, data], output: fresh(), onEvent });
    expect(events).toContainEqual(expect.objectContaining({ kind: "data", documents: 13, shards: 2, lone: 1 }));
  });

  test("a held-out file of unknown tokens only", async () => {
    const heldOut = join(folder, "unknown.txt");
    writeFileSync(heldOut, "你好 你好\n你好 你好\n\n你好\n你好\n");
    await expectError(pretrain({ ...base, heldOut: [heldOut], output: fresh() }), "TEXT_EMPTY", heldOut, "knows none");
  });

  test("held-out text of one document says that it is that", async () => {
    const heldOut = join(folder, "one.txt");
    writeFileSync(heldOut, "good ab\nbad cd\n");
    await expectError(
      pretrain({ ...base, heldOut: [heldOut], output: fresh() }),
      "CORPUS_TOO_SMALL",
      "held-out",
      heldOut,
    );
  });

  test("no corpus, no vocabulary, a config for another vocabulary", async () => {
    const output = fresh();
    await expectError(pretrain({ ...base, data: [fresh()], output }), "FILE_MISSING");
    await expectError(pretrain({ ...base, vocab: undefined, output }), "OPTION_INVALID", "--vocab");
    const model = join(folder, "other.json");
    writeFileSync(model, readFileSync(corpus.config, "utf8").replace('"vocab_size":59', '"vocab_size":60'));
    await expectError(pretrain({ ...base, model, output }), "VOCABULARY_MISMATCH", "60", "59");
  });

  test.each<[what: string, options: Partial<PretrainOptions>, parts: string[]]>([
    ["no steps", { steps: 0 }, ["steps", "0"]],
    ["batches too small for a sequence", { batchTokens: 20 }, ["batchTokens", "at least 24"]],
    ["a longer sequence than positions", { maxLength: 129, batchTokens: 200 }, ["128", "129"]],
    ["a later stage without a step", { lastStage: { maxLength: 40, share: 0.01 } }, ["share of the last stage"]],
    ["sequences without room for a pair", { maxLength: 4 }, ["maxLength", "at least 5"]],
    ["no checkpoint to keep", { keep: 0 }, ["keep"]],
    ["evaluations every half update", { evaluateEvery: 0.5 }, ["evaluateEvery"]],
    ["a seed below 0", { seed: -1 }, ["seed"]],
    ["a later stage too long", { lastStage: { maxLength: 129, share: 0.1 }, batchTokens: 200 }, ["128", "129"]],
    ["everything masked", { maskRate: 1 }, ["maskRate"]],
    ["an objective without pairs to learn from", { pairs: "none", objective: "pretraining" }, ["--pairs none"]],
    ["more warm-up than steps", { warmupSteps: 25 }, ["warmupSteps", "24"]],
    ["a dropout of 1", { dropout: 1 }, ["dropout"]],
  ])("%s", async (_, options, parts) => {
    await expectError(pretrain({ ...base, ...options, output: fresh() }), "OPTION_INVALID", ...parts);
  });

  test("a disk that fills up while a checkpoint is written: the last one stays", async ({ skip }) => {
    const output = fresh();
    mkdirSync(output);
    const mount = (options: string) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", output]);
    const mounted = mount("size=500k"); // room for two checkpoints of some 220 kB
    if (mounted.status !== 0) skip(`cannot mount a small tmpfs here: ${mounted.stderr ?? mounted.error}`);
    try {
      const full = pretrain({ ...base, output, checkpointEvery: 4 });
      await expectError(full, "DISK_FULL", "what was there before is unchanged");
      expect(readdirSync(join(output, "checkpoints")).sort()).toEqual(["step-4", "step-8"]);
      expect(mount("remount,size=4m").status).toBe(0);
      await pretrain({ ...base, output, resume: true });
      expect(modelOf(output)).toEqual(await undisturbed());
    } finally {
      spawnSync("umount", [output]);
    }
  });
});
