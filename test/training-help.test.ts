/** Freezing, layer-wise rates, and what a fine-tuning makes of its examples and writes down of its course. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { depthOf } from "../src/bert/depth.ts";
import { Parameters } from "../src/graph/parameters.ts";
import { textClassification } from "../src/tasks/definitions/text-classification.ts";
import { finetuneTask } from "../src/tasks/finetuning/finetune.node.ts";
import type { FinetuneEvent, FinetuneOptions } from "../src/tasks/finetuning/finetune-options.node.ts";
import { loadWeights } from "../src/tasks/folder/model-folder.node.ts";
import { readLabelledTexts } from "../src/tasks/readers/labelled-texts.node.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { cloze, type Outcome } from "./command-line.ts";
import { expectError } from "./expect-error.ts";
import { classifierParameters, examples, tinyConfig, writeRows, writeTinyModel } from "./tiny-model.ts";
import { logOf } from "./training-files.ts";

const LAYERS = 3;
const config = tinyConfig({ num_hidden_layers: LAYERS });

let folder: string;
let model: string;
let train: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-training-help-"));
  model = await writeTinyModel(join(folder, "model"), { config: { num_hidden_layers: LAYERS } });
  train = writeRows(join(folder, "train.jsonl"), examples(24));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function weightsOf(path: string): Promise<Parameters> {
  const parameters = new Parameters(classifierParameters(config));
  await loadWeights(path, parameters);
  return parameters;
}

let count = 0;
/** How far each weight moves in one epoch, as a norm, by its depth. */
async function movements(options: Partial<FinetuneOptions>): Promise<number[]> {
  const output = join(folder, String(++count));
  const recipe = { epochs: 1, batchSize: 24, learningRate: 1e-3, warmupRatio: 0, weightDecay: 0, threads: 1 };
  await finetune("text-classification", { model, train, output, ...recipe, ...options });
  const [before, after] = [await weightsOf(model), await weightsOf(output)];
  const largest = new Array<number>(LAYERS + 2).fill(0);
  before.views.forEach(({ spec, data }, i) => {
    const depth = depthOf(spec.name, config);
    data.forEach((value, j) => {
      largest[depth] = Math.max(largest[depth], Math.abs(value - after.views[i].data[j]));
    });
  });
  return largest;
}

test("frozen layers stay as they are, to the bit, and the others learn", async () => {
  expect((await movements({ freezeLayers: 0 })).map((moved) => moved > 0)).toEqual([false, true, true, true, true]);
  expect((await movements({ freezeLayers: 2 })).map((moved) => moved > 0)).toEqual([false, false, false, true, true]);
  expect((await movements({ freezeLayers: LAYERS })).map((moved) => moved > 0)).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
});

test("the first step of AdamW is the rate, which falls from layer to layer", async () => {
  const moved = await movements({ layerDecay: 0.5 });
  moved.forEach((most, depth) => {
    expect(most).toBeCloseTo(1e-3 * 0.5 ** (LAYERS + 1 - depth), 6);
  });
});

test.each([
  [{ layerDecay: 0 }, "layerDecay"],
  [{ layerDecay: 1.1 }, "layerDecay"],
  [{ freezeLayers: -1 }, "freezeLayers"],
  [{ freezeLayers: LAYERS + 1 }, "at most the model's 3 layers"],
])("%j is refused", async (options, name) => {
  await expectError(movements(options), "OPTION_INVALID", name);
});

const quick = { epochs: 2, batchSize: 12, learningRate: 1e-3, threads: 1 };

test("every task's loss on dev goes into the log and the picture", async () => {
  const numbers = (seed: number) =>
    writeRows(
      join(folder, `numbers-${seed}.jsonl`),
      examples(12, seed).map(({ text }) => ({ text, score: text.length })),
    );
  const output = join(folder, "numbers");
  const { metrics } = await finetune("regression", { model, train: numbers(1), dev: numbers(2), output, ...quick });
  const losses = logOf(output).flatMap((line) => ("dev/loss" in line ? [line["dev/loss"]] : []));
  expect(losses).toHaveLength(2);
  expect(losses).toContain(metrics?.loss);
  expect(metrics?.loss).toBeCloseTo(Number(metrics?.meanSquaredError), 3);
  expect(readFileSync(join(output, "curves.svg"), "utf8")).toMatch(/>dev</);
});

test("the loss on dev is the mean over texts, without the class weights of training", async () => {
  const dev = writeRows(join(folder, "dev.jsonl"), examples(10, 3));
  const options = { model, train, dev, ...quick, learningRate: 1e-9 };
  const plain = await finetune("text-classification", { ...options, output: join(folder, "plain") });
  const classWeights = "positive=100";
  const weighted = await finetune("text-classification", {
    ...options,
    classWeights,
    output: join(folder, "weighted"),
  });
  expect(weighted.metrics?.loss).toBeCloseTo(Number(plain.metrics?.loss), 4);
});

/** The same text over and over, one time in ten with a label of its own: all that there is to learn is how often. */
const often = Array.from({ length: 1600 }, (_, i) => (i % 10 === 0 ? "rare" : "usual"));

test.each([
  ["text-classification", "label.jsonl", often.map((label) => JSON.stringify({ text: "good", label }))],
  [
    "multi-label-classification",
    "labels.jsonl",
    often.map((label) => JSON.stringify({ text: "good", labels: [label] })),
  ],
  ["token-classification", "tags.conll", often.map((tag) => `good\t${tag}\n`)],
])("%s: balanced class weights make a rare label likelier", async (task, file, lines) => {
  const data = join(folder, file);
  writeFileSync(data, `${lines.join("\n")}\n`);
  const recipe = "--epochs 1 --batch-size 80 --learning-rate 1e-2 --threads 1 --json".split(" ");
  const train = (...weights: string[]) => {
    const files = ["--model", model, "--train", data, "--dev", data, "--output", join(folder, String(++count))];
    return cloze(["finetune", task, ...files, ...recipe, ...weights]);
  };
  const lossOf = ({ code, stdout, stderr }: Outcome): number => {
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout).metrics.loss;
  };
  // Measured without weights: 0.33 where the shares are found, 0.69 where both labels are equally likely.
  expect(lossOf(await train())).toBeCloseTo(0.33, 1);
  expect(lossOf(await train("--class-weights", "balanced"))).toBeGreaterThan(0.5);

  const { code, stderr } = await train("--class-weights", "eggs=2");
  expect(code).toBe(2);
  expect(stderr).toContain('a label that the training data does not have; expected "rare", "usual"; got "eggs"');
});

test("examples become tokens once, however many epochs there are", async () => {
  let encoded = 0;
  const counting = {
    ...textClassification,
    encode(input, context) {
      encoded++;
      return textClassification.encode(input, context);
    },
  } as const satisfies typeof textClassification;
  const dev = writeRows(join(folder, "dev-once.jsonl"), examples(10, 3));
  await finetuneTask(counting, readLabelledTexts, { model, train, dev, output: join(folder, "once"), ...quick });
  expect(encoded).toBe(24 + 10);
});

test("a fold holds back groups as a whole", async () => {
  const inGroups = async (path: string) => {
    const data = await readLabelledTexts(path, {});
    const examples = data.examples.map((example, i) => ({ ...example, group: i % 6 === 0 ? "four" : "twenty" }));
    return { ...data, examples };
  };
  const counts: number[] = [];
  const onEvent = (event: FinetuneEvent) => void (event.kind === "data" && counts.push(event.examples));
  const tune = (index: number, of: number) =>
    finetuneTask(textClassification, inGroups, {
      ...{ model, train, ...quick, onEvent },
      fold: { index, of },
      output: join(folder, `fold-${index}-of-${of}`),
    });
  await tune(0, 2);
  await tune(1, 2);
  expect([counts, [...counts].sort((a, b) => a - b)]).toEqual([
    [counts[0], 24 - counts[0], 24 - counts[0], counts[0]],
    [4, 4, 20, 20],
  ]);
  await expectError(tune(0, 3), "OPTION_INVALID", "2 to 2 of them", "do not belong together");
  for (const index of [-1, 2, 0.5]) await expectError(tune(index, 2), "OPTION_INVALID", "an index from 0 to 1");
});

test("a fold and a dev file are not taken together", async () => {
  const options = { model, train, dev: train, fold: { index: 0, of: 5 }, output: join(folder, "both") };
  await expectError(finetune("text-classification", options), "OPTION_INVALID", "takes the place of a dev file");
});

test("training goes on when what an event's listener returns is settled", async () => {
  const kinds = new Set<string>();
  let listening = 0;
  const onEvent = async ({ kind }: FinetuneEvent) => {
    expect(listening).toBe(0);
    listening++;
    kinds.add(kind);
    await setImmediate();
    listening--;
  };
  const options = { model, train, dev: train, output: join(folder, "listener"), ...quick, onEvent };
  await finetune("text-classification", options);
  await finetune("text-classification", { ...options, resume: true });
  expect(kinds).toEqual(new Set(["data", "model", "step", "epoch", "checkpoint", "ended"]));
});

test("sequences are as long as the model takes where that is less than the task's usual length", async () => {
  const short = await writeTinyModel(join(folder, "few-positions"), { config: { max_position_embeddings: 64 } });
  const files = ["--model", short, "--train", train, "--threads", "1", "--epochs", "1"];
  const tune = (name: string, ...more: string[]) =>
    cloze(["finetune", "text-classification", ...files, "--output", join(folder, name), ...more]);
  const { code, stderr } = await tune("usual");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { model_max_length } = JSON.parse(readFileSync(join(folder, "usual", "tokenizer_config.json"), "utf8"));
  expect(model_max_length).toBe(64);
  expect(await tune("told", "--max-length", "65")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--max-length is more than the model takes; expected at most 64; got 65"),
  });
});

test("examples without anything to learn are left out of training, told of, and measured", async () => {
  const tasteless = {
    ...textClassification,
    features: (example, encodings, context) =>
      example.gold === "negative" ? [] : textClassification.features(example, encodings, context),
  } as const satisfies typeof textClassification;
  const events: FinetuneEvent[] = [];
  const dev = writeRows(join(folder, "dev-some.jsonl"), examples(10, 3));
  const options = { model, dev, ...quick, onEvent: (event: FinetuneEvent) => void events.push(event) };
  const output = join(folder, "some");
  const { metrics, files } = await finetuneTask(tasteless, readLabelledTexts, { ...options, train, output });
  const negative = examples(24).filter(({ label }) => label === "negative").length;
  const [first, second] = events.filter(({ kind }) => kind === "data");
  const skipped = { "without anything to learn": negative };
  expect(first).toMatchObject({ file: train, examples: 24 - negative, skipped });
  expect(second).toMatchObject({ file: dev, examples: 10, skipped: expect.not.objectContaining(skipped) });
  expect(metrics?.examples).toBe(10);
  expect(files).toMatchObject([
    {
      file: train,
      examples: 24 - negative,
      skipped,
      places: { "without anything to learn": expect.any(Array) },
    },
    { file: dev, examples: 10, truncated: 0 },
  ]);
  expect(files[0].places?.["without anything to learn"]).toHaveLength(negative);

  const nothing = { ...textClassification, features: () => [] } as const satisfies typeof textClassification;
  await expectError(
    finetuneTask(nothing, readLabelledTexts, { ...options, train, output: join(folder, "nothing") }),
    "FILE_EMPTY",
    train,
    "24 examples without anything to learn",
  );
});
