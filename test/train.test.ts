/** The loop of fine-tuning by itself, with checkpoints in memory. */
import { expect, test } from "vitest";
import { ClozeError } from "../src/base/errors.ts";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import type { Executable, Executor } from "../src/graph/executor.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { type Feature, trainableOf } from "../src/tasks/definitions/task.ts";
import { prepareExamples } from "../src/tasks/definitions/task-model.ts";
import { textClassification } from "../src/tasks/definitions/text-classification.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { type EpochState, TRAINING_DEFAULTS, type Training, type TrainingEvent, train } from "../src/train/train.ts";
import { expectError } from "./expect-error.ts";
import { classifierParameters, examples, LABELS, tinyConfig, VOCABULARY } from "./tiny-model.ts";

const config = tinyConfig();
const executor = onnxExecutor({ threads: 1 });
const context = { labels: LABELS, settings: textClassification.settings.parse({}) };
const prepared = prepareExamples(
  textClassification,
  examples(10).map(({ text, label }) => ({ input: { text }, gold: label, place: text })),
  { ...context, tokenizer: BertTokenizer.fromVocabulary(VOCABULARY), maxLength: 16 },
);

/** Trains two epochs of two updates, from the last state if there is one; a save is the state and the parameters alone. */
function run(
  saved: { state?: EpochState; parameters?: Float32Array },
  options: Partial<Pick<Training<Feature>, "evaluate" | "executor" | "signal" | "onEvent">>,
) {
  const parameters = new Parameters(classifierParameters(config));
  initialise(parameters, 0.02, 1);
  return train({
    trainable: trainableOf(textClassification, config, context),
    examples: prepared.flatMap(({ features }) => features),
    rateOf: () => 1,
    parameters,
    executor,
    options: { ...TRAINING_DEFAULTS, epochs: 2, batchSize: 5 },
    settings: {},
    resume: true,
    checkpoints: {
      async save(state) {
        saved.state = state;
        saved.parameters = parameters.buffer.slice();
      },
      state: async () => saved.state,
      restore: async () => parameters.buffer.set(saved.parameters!),
      saveBest: async () => {},
      loadBest: async () => {},
      howToResume: "resume",
    },
    ...options,
  });
}

test("an evaluation that is stopped leaves a checkpoint behind the epoch's updates, and is made after resuming", async () => {
  const saved: { state?: EpochState } = {};
  const controller = new AbortController();
  const evaluate = async (signal: AbortSignal | undefined) => {
    controller.abort();
    signal?.throwIfAborted();
    throw new Error("goes on though it was stopped");
  };
  await expectError(run(saved, { evaluate, signal: controller.signal }), "ABORTED", "step 2 of 4");
  expect(saved.state).toMatchObject({ step: 2, epochs: 0 });

  const events: TrainingEvent[] = [];
  const onEvent = (event: TrainingEvent) => void events.push(event);
  const ended = await run(saved, { evaluate: async () => ({ score: 1, metrics: {} }), onEvent });
  expect(ended).toMatchObject({ step: 4, epochs: 2, best: { step: 2 }, evaluationsSinceBest: 1 });
  const told = events.flatMap((event) => (event.kind === "epoch" || event.kind === "step" ? [event.step] : []));
  expect(told).toEqual([2, 3, 4, 4]); // the epoch that was stopped, two steps, their epoch
});

test("an update that fails leaves a checkpoint of the one before, and the error as it is", async () => {
  const saved: { state?: EpochState; parameters?: Float32Array } = {};
  const full = new ClozeError("OUT_OF_MEMORY", { problem: "no memory for the fourth update" });
  let runs = 0;
  const failing: Executor = {
    name: "failing",
    async load(graph, parameters) {
      const executable = await executor.load(graph, parameters);
      const run: Executable["run"] = async (...run) => {
        if (++runs === 4) throw full;
        return executable.run(...run);
      };
      return { run, dispose: () => executable.dispose() };
    },
  };
  await expect(run(saved, { executor: failing })).rejects.toBe(full);
  expect(saved.state).toMatchObject({ step: 3, epochs: 1 });
  expect(await run(saved, {})).toMatchObject({ step: 4, epochs: 2 });
});

test("one that is stopped before its first update leaves no checkpoint", async () => {
  const saved: { state?: EpochState } = {};
  await expectError(run(saved, { signal: AbortSignal.abort() }), "ABORTED", "step 0 of 4", "resume");
  expect(saved.state).toBeUndefined();
});
