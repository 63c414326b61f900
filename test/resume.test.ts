/** A training that was interrupted and resumed ends in the same bytes as one that was not. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FinetuneEvent, FinetuneOptions } from "../src/tasks/finetuning/finetune-options.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { expectError } from "./expect-error.ts";
import { describeBfloat16, describeNative, onSetUntil, withoutKernels } from "./native-kernels.ts";
import { examples, VOCABULARY, writeRows, writeTinyModel, writeTinyPretrainedModel } from "./tiny-model.ts";
import { filesOf as trainingFiles } from "./training-files.ts";

let folder: string;
let base: Omit<FinetuneOptions, "output">;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-resume-"));
  base = {
    model: await writeTinyModel(join(folder, "model")), // with dropout
    train: writeRows(join(folder, "train.jsonl"), examples(23)),
    dev: writeRows(join(folder, "dev.jsonl"), examples(9, 2)),
    epochs: 3,
    batchSize: 5, // 5 steps an epoch, the last of 3 examples
    learningRate: 3e-3,
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const fresh = () => join(folder, String(++count));

/** Its logs and their picture have times, and a point where it stopped. */
const filesOf = (output: string) => trainingFiles(output, { without: ["curves.svg"] });

/** Runs a training from start to end. */
async function undisturbed(options: Partial<FinetuneOptions> = {}): Promise<Record<string, string>> {
  const output = fresh();
  await finetune("text-classification", { ...base, ...options, output });
  return filesOf(output);
}

/** Runs a training that stops, with a checkpoint, after a step. */
async function stopAfter(step: number, options: Partial<FinetuneOptions> & { output: string }): Promise<void> {
  const controller = new AbortController();
  const onEvent = (event: FinetuneEvent) => {
    if (event.kind === "step" && event.step === step) controller.abort();
  };
  const stopped = finetune("text-classification", { ...base, ...options, onEvent, signal: controller.signal });
  await expectError(stopped, "ABORTED", `step ${step} of`, "--resume");
}

describe.each([
  { accumulate: 3, seed: 1 },
  { patience: 1, epochs: 9 },
])("with %j", (options) => {
  let expected: Record<string, string>;
  beforeAll(async () => {
    expected = await undisturbed(options);
  });

  test("the training is a real one: its best model is not its last", () => {
    const { step } = JSON.parse(expected["metrics.json"]);
    expect(step).toBeLessThan(JSON.parse(expected["training.json"]).step);
  });

  test.each([1, 4, 5, 7])("stopped after step %i", async (step) => {
    const output = fresh();
    await stopAfter(step, { ...options, output });
    await finetune("text-classification", { ...base, ...options, output, resume: true });
    expect(filesOf(output)).toEqual(expected);
  });

  test("stopped after every single step", async () => {
    const output = fresh();
    const { step: steps } = JSON.parse(expected["training.json"]);
    for (let step = 1; step < steps; step++) await stopAfter(step, { ...options, output, resume: true });
    await finetune("text-classification", { ...base, ...options, output, resume: true });
    expect(filesOf(output)).toEqual(expected);
  });

  test("killed at any step, with checkpoints now and then", async () => {
    const killed: string[] = [];
    const output = fresh();
    const copy = ({ kind }: FinetuneEvent) => {
      if (kind !== "step" && kind !== "epoch") return;
      killed.push(fresh());
      cpSync(output, killed.at(-1)!, { recursive: true });
    };
    await finetune("text-classification", { ...base, ...options, output, checkpointEvery: 3, onEvent: copy });
    for (const path of killed) {
      await finetune("text-classification", { ...base, ...options, output: path, checkpointEvery: 3, resume: true });
      expect(filesOf(path)).toEqual(filesOf(output));
    }
  });
});

test("by ONNX Runtime, stopped after step 4", async () => {
  const options = { device: "onnx", accumulate: 3 } as const;
  const [expected, resumed] = await withoutKernels(async () => {
    const output = fresh();
    await stopAfter(4, { ...options, output });
    await finetune("text-classification", { ...base, ...options, output, resume: true });
    return [await undisturbed(options), filesOf(output)];
  });
  expect(resumed).toEqual(expected);
});

test("the loss of an interrupted epoch is that of all its steps", async () => {
  const output = fresh();
  await stopAfter(3, { output });
  const whole: FinetuneEvent[] = [];
  const resumed: FinetuneEvent[] = [];
  await finetune("text-classification", { ...base, output: fresh(), onEvent: (event) => void whole.push(event) });
  await finetune("text-classification", {
    ...base,
    output,
    resume: true,
    onEvent: (event) => void resumed.push(event),
  });
  const epochs = (events: FinetuneEvent[]) => events.filter(({ kind }) => kind === "epoch");
  expect(epochs(resumed)).toEqual(epochs(whole));
});

describe("at the end", () => {
  test("a training that could not write its files is resumed, and leftovers of a killed writer go", async () => {
    const output = fresh();
    const obstacle = join(output, "README.md");
    const onEvent = ({ kind }: FinetuneEvent) => {
      if (kind === "epoch") mkdirSync(obstacle, { recursive: true });
    };
    await expectError(finetune("text-classification", { ...base, output, onEvent }), "FILE_NOT_WRITABLE", obstacle);
    rmdirSync(obstacle);
    rmSync(join(output, "config.json"));
    for (const name of ["config.json", "curves.svg", "confusion.svg"]) {
      writeFileSync(join(output, `.${name}.new-99999999-0123456789ab`), "{");
    }
    await finetune("text-classification", { ...base, output, resume: true });
    expect(readdirSync(output).filter((name) => name.startsWith("."))).toEqual([]);
    expect(filesOf(output)).toEqual(await undisturbed());
  });

  test("a finished training says so, changes nothing and gives its result again", async () => {
    const output = fresh();
    const result = await finetune("text-classification", { ...base, output });
    const files = filesOf(output);
    mkdirSync(join(output, "checkpoints", "step-6"), { recursive: true }); // as a kill during the clean-up leaves it
    const events: FinetuneEvent[] = [];
    const again = await finetune("text-classification", {
      ...base,
      output,
      resume: true,
      onEvent: (event) => void events.push(event),
    });
    expect(again).toEqual(result);
    expect(events.map(({ kind }) => kind)).toEqual(["data", "data", "ended"]);
    expect(filesOf(output)).toEqual(files);
    await expectError(
      finetune("text-classification", { ...base, output, resume: true, epochs: 4 }),
      "RESUME_MISMATCH",
      "epochs 3",
      "epochs 4",
    );
  });
});

describe("settings", () => {
  let stopped: string;
  beforeAll(async () => {
    stopped = fresh();
    await stopAfter(7, { output: stopped });
  });

  const file = (seed: number) => writeRows(join(folder, `other-${seed}.jsonl`), examples(23, seed));
  const vocab = () => {
    const path = join(folder, "vocab.txt");
    writeFileSync(path, VOCABULARY.join("\n"));
    return path;
  };
  test.each<[setting: string, change: () => Partial<FinetuneOptions>]>([
    ["epochs", () => ({ epochs: 4 })],
    ["batchSize", () => ({ batchSize: 6 })],
    ["accumulate", () => ({ accumulate: 2 })],
    ["learningRate", () => ({ learningRate: 2e-3 })],
    ["warmupRatio", () => ({ warmupRatio: 0.2 })],
    ["weightDecay", () => ({ weightDecay: 0 })],
    ["clipNorm", () => ({ clipNorm: 2 })],
    ["seed", () => ({ seed: 43 })],
    ["patience", () => ({ patience: 2 })],
    ["maxLength", () => ({ maxLength: 100 })],
    ["model", () => ({ model: "tiny", vocab: vocab() })],
    ["trainingData", () => ({ train: file(3) })],
    ["devData", () => ({ dev: file(4) })],
    ["devData", () => ({ dev: undefined })],
    [
      "labels",
      () => ({
        train: writeRows(join(folder, "ab.jsonl"), [
          { text: "a", label: "a" },
          { text: "b", label: "b" },
        ]),
        dev: undefined,
      }),
    ],
  ])("other %s are refused, by name", async (setting, change) => {
    const resumed = finetune("text-classification", { ...base, output: stopped, resume: true, ...change() });
    await expectError(resumed, "RESUME_MISMATCH", `expected ${setting} `);
  });

  test("so is a model whose config.json was edited", async () => {
    const model = await writeTinyModel(join(folder, "edited"));
    const options = { model, output: fresh() };
    await stopAfter(1, options);
    const config = join(model, "config.json");
    writeFileSync(config, readFileSync(config, "utf8").replace('"gelu"', '"relu"'));
    const resumed = finetune("text-classification", { ...base, ...options, resume: true });
    await expectError(resumed, "RESUME_MISMATCH", "expected architecture ");
  });

  test("so are right answers that are measured by, though not learnt from", async () => {
    const file = (name: string, ...golds: string[]) => {
      const context = "ada came to see bob";
      const answers = golds.map((text) => ({ text, answer_start: context.indexOf(text) }));
      const path = join(folder, name);
      const paragraphs = [{ context, qas: [{ id: "1", question: "who came", answers }] }];
      writeFileSync(path, JSON.stringify({ data: [{ title: "a", paragraphs }] }));
      return path;
    };
    const one = file("one.json", "ada");
    const options = { ...base, train: one, dev: one, output: fresh(), epochs: 1, maxLength: 64 };
    await finetune("question-answering", options);
    const resumed = finetune("question-answering", { ...options, dev: file("two.json", "ada", "bob"), resume: true });
    await expectError(resumed, "RESUME_MISMATCH", "expected devData ");
  });

  test("that do not change the result may change", async () => {
    await finetune("text-classification", { ...base, output: stopped, resume: true, checkpointEvery: 4 });
    const { "README.md": _, ...files } = await undisturbed(); // the model card lists all options
    expect(filesOf(stopped)).toMatchObject(files);
  });

  test("equal seeds give equal bytes, other seeds others", async () => {
    const [one, two, other] = [await undisturbed(), await undisturbed(), await undisturbed({ seed: 43 })];
    expect(two).toEqual(one);
    expect(other["model.safetensors"]).not.toEqual(one["model.safetensors"]);
  });
});

describe("a checkpoint", () => {
  test("that is not there yet: the training starts from the beginning", async () => {
    const output = fresh();
    const events: FinetuneEvent[] = [];
    await finetune("text-classification", {
      ...base,
      output,
      resume: true,
      onEvent: (event) => void events.push(event),
    });
    expect(events).toContainEqual({ kind: "resumed", step: 0, totalSteps: 15 });
    expect(filesOf(output)).toEqual(await undisturbed());
  });

  test.each(["begun", "finished"])("of a training that overwrites one, %s before, takes its place", async (former) => {
    const output = fresh();
    if (former === "begun") await stopAfter(7, { output, seed: 43 });
    else await finetune("text-classification", { ...base, output, seed: 43 });
    await stopAfter(4, { output, overwrite: true });
    await finetune("text-classification", { ...base, output, resume: true });
    expect(filesOf(output)).toEqual(await undisturbed());
  });

  test("that an overwriting training has not reached yet: the former one is not continued", async () => {
    const output = fresh();
    await finetune("text-classification", { ...base, output, seed: 43 });
    const killed = fresh();
    const onEvent = ({ kind }: FinetuneEvent) => {
      if (kind === "step" && !existsSync(killed)) cpSync(output, killed, { recursive: true });
    };
    await finetune("text-classification", { ...base, output, overwrite: true, onEvent });
    const events: FinetuneEvent[] = [];
    await finetune("text-classification", {
      ...base,
      output: killed,
      resume: true,
      onEvent: (event) => void events.push(event),
    });
    expect(events).toContainEqual({ kind: "resumed", step: 0, totalSteps: 15 });
    expect(filesOf(killed)).toEqual(filesOf(output));
  });

  test.each<[what: string, name: string, damage: (path: string) => void]>([
    ["without JSON", "state.json", (path) => writeFileSync(path, "{")],
    ["of another form", "state.json", (path) => writeFileSync(path, '{"step":-1}')],
    ["without moments", "optimizer.safetensors", (path) => cpSync(join(path, "../model.safetensors"), path)],
    ["without weights", "model.safetensors", (path) => cpSync(join(path, "../optimizer.safetensors"), path)],
    ["with a weight that is no number", "model.safetensors", endWith(Number.NaN)],
    ["with an infinite moment", "optimizer.safetensors", endWith(Number.POSITIVE_INFINITY)],
  ])("%s is CHECKPOINT_MALFORMED", async (_, name, damage) => {
    const output = fresh();
    await stopAfter(2, { output });
    damage(join(output, "checkpoints", "step-2", name));
    await expectError(
      finetune("text-classification", { ...base, output, resume: true }),
      "CHECKPOINT_MALFORMED",
      join("step-2", name),
      "Take its folder away",
      "--overwrite",
    );
  });
});

test.each(["{", '{"step":-1}'])("a record of the end that is %s has no folder to take away", async (content) => {
  const output = fresh();
  await finetune("text-classification", { ...base, output, epochs: 1 });
  writeFileSync(join(output, "training.json"), content);
  const resumed = () => finetune("text-classification", { ...base, output, epochs: 1, resume: true });
  await expectError(resumed(), "CHECKPOINT_MALFORMED", "training.json", "Name another --output");
  await expect(resumed()).rejects.not.toThrow("Take its folder away");
});

test("weights that start from random values are told of where they do, not where a checkpoint has them", async () => {
  const model = await writeTinyPretrainedModel(join(folder, "headless"));
  const freshOf = async (options: Partial<FinetuneOptions> & { output: string }) => {
    const told: (readonly string[])[] = [];
    const onEvent = (event: FinetuneEvent) => void (event.kind === "model" && told.push(event.fresh));
    await finetune("text-classification", { ...base, model, ...options, onEvent });
    return told;
  };
  const output = fresh();
  const head = ["classifier.weight", "classifier.bias"];
  await stopAfter(3, { model, output });
  expect(await freshOf({ output, resume: true })).toEqual([[]]);
  expect(await freshOf({ output: fresh(), resume: true })).toEqual([head]); // nothing to resume from yet
  expect(await freshOf({ output: fresh() })).toEqual([head]);
});

describeNative("precision", (addon) => {
  describeBfloat16("bf16", addon, (set) => {
    test("that measured the epochs is a setting", () =>
      onSetUntil(set, async () => {
        const output = fresh();
        await stopAfter(7, { output, precision: "bf16" });
        const resumed = finetune("text-classification", { ...base, output, resume: true });
        const names = ["expected evaluator native bfloat16", "got evaluator native float32"];
        await expectError(resumed, "RESUME_MISMATCH", ...names);
        await finetune("text-classification", { ...base, output, precision: "bf16", resume: true });
      }));

    test("of an evaluation that there is none of may change", () =>
      onSetUntil(set, async () => {
        const output = fresh();
        const options = { output, dev: undefined };
        await stopAfter(7, { ...options, precision: "bf16" });
        await finetune("text-classification", { ...base, ...options, resume: true });
        const { "README.md": _, ...files } = await undisturbed({ dev: undefined }); // the model card lists all options
        expect(filesOf(output)).toMatchObject(files);
      }));
  });
});

describe("a loss that is not finite", () => {
  test("stops the training by step, learning rate and examples, and leaves the last checkpoint", async () => {
    const output = fresh();
    const broken = { ...base, dev: undefined, output, learningRate: 1e30, warmupRatio: 0, checkpointEvery: 1 };
    await expectError(
      finetune("text-classification", broken),
      "LOSS_NOT_FINITE",
      "step 2, learning rate 9.33e+29",
      "loss NaN",
      "train.jsonl, line ",
    );
    const last = filesOf(join(output, "checkpoints", "step-1"));
    expect(JSON.parse(last["state.json"])).toMatchObject({ step: 1 });
    const again = { ...broken, resume: true };
    const record = join(output, "breakdown.json");
    await expectError(finetune("text-classification", again), "LOSS_NOT_FINITE", "step 2", `delete ${record}`);
    rmSync(record);
    await expectError(finetune("text-classification", again), "LOSS_NOT_FINITE", "step 2", "the last checkpoint is as");
    expect(filesOf(join(output, "checkpoints", "step-1"))).toEqual(last);
    expect(existsSync(join(output, "model.safetensors"))).toBe(false);
  });

  test("names the first three examples of the batch and says how many more there are", async () => {
    const spoilt = await writeTinyModel(fresh(), { change: ({ buffer }) => buffer.fill(3e38) });
    const breaking = (count: number, output: string) => {
      const train = writeRows(join(folder, "few.jsonl"), examples(count));
      return finetune("text-classification", { ...base, train, dev: undefined, model: spoilt, output });
    };
    const places = [1, 2, 3].map((line) => `few.jsonl, line ${line}`);
    await expectError(breaking(3, fresh()), "LOSS_NOT_FINITE", "step 1,", ...places);
    const output = fresh();
    const message = await breaking(5, output).catch((error: Error) => error.message);
    expect(message).toMatch(/the batch of (\S+few\.jsonl, line \d and ){3}2 more/);
    expect(readdirSync(join(output, "checkpoints"))).toEqual([]);
  });

  test("is found by the evaluation too, so that a spoilt model is never the best one", async () => {
    const output = fresh();
    const spoilt = finetune("text-classification", {
      ...base,
      output,
      batchSize: 23,
      epochs: 1,
      learningRate: 1e30,
      warmupRatio: 0,
    });
    await expectError(spoilt, "LOGITS_NOT_FINITE", "--learning-rate");
    expect(Object.keys(filesOf(join(output, "checkpoints")))).toEqual([]);
    expect(existsSync(join(output, "model.safetensors"))).toBe(false);
  });
});

/** Writes another last number into a file of weights. */
function endWith(number: number): (path: string) => void {
  return (path) => {
    const bytes = readFileSync(path);
    bytes.writeFloatLE(number, bytes.length - 4);
    writeFileSync(path, bytes);
  };
}
