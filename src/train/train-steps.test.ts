import { expect, test } from "vitest";
import { referenceExecutor } from "../executors/reference/executor.ts";
import { gather, input, parameter, squaredError } from "../graph/build.ts";
import { type Executor, vector } from "../graph/executor.ts";
import { makeGraph } from "../graph/graph.ts";
import { Parameters } from "../graph/parameters.ts";
import { AdamW } from "../optim/adamw.ts";
import { type StepState, trainSteps } from "./train-steps.ts";
import type { Trainable } from "./trainable.ts";
import { segmentsOf } from "./weights.ts";

const predicted = gather(parameter("w", [3, 1], "zeros"), input("which", "int32", ["T"])); // [T, 1]
const loss = squaredError(predicted, input("target", "float32", ["T"]), input("weight", "float32", ["T"]));
const trainable: Trainable<number> = {
  loss,
  length: () => 1,
  nameOf: String,
  inputs: ([which]) => ({
    which: vector(Int32Array.of(which % 3)),
    target: vector(Float32Array.of(which)),
    weight: vector(Float32Array.of(1)),
  }),
};

interface Options {
  /** Evaluates every third step; `evaluated` of the state where it begins. */
  readonly evaluation?: { readonly evaluated: boolean; readonly evaluate: (step: number) => void };
  readonly signal?: AbortSignal;
}

/** Trains from position `from` to step 7, the stages ending at 4 and 7, on an executor that leaves the event loop free. */
async function train(from: { step: number; position: number }, { evaluation, signal }: Options = {}) {
  const happened: string[] = [];
  const executor: Executor = {
    name: "slow",
    async load(graph, parameters) {
      const executable = await referenceExecutor.load(graph, parameters);
      return {
        async run(inputs, options) {
          happened.push(`run ${inputs.target.data[0]}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
          const result = await executable.run(inputs, options);
          happened.push("ran");
          return result;
        },
        dispose: () => executable.dispose(),
      };
    },
  };
  async function* batches(position: number) {
    for (; ; position++) {
      happened.push(`make ${position}`);
      yield { batch: [position], next: position + 1 };
    }
  }
  const parameters = new Parameters(makeGraph({ loss }).parameters);
  const optimizer = new AdamW(segmentsOf(parameters));
  const saved: StepState<number>[] = [];
  const unused = () => Promise.reject(new Error("unused"));
  const state = trainSteps<number, number>({
    trainable,
    model: { parameters, optimizer },
    executor,
    options: { accumulate: 1, clipNorm: 1, seed: 3 },
    schedule: () => 0.1,
    stages: [4, 7].map((until) => ({ until, batches, begin: (after: number) => after + 10 })),
    state: { ...from, tokens: from.step, seconds: 0, evaluated: evaluation?.evaluated ?? true, settings: {} },
    checkpoints: {
      save: async (state) => {
        saved.push(state);
      },
      state: unused,
      restore: unused,
      saveBest: unused,
      loadBest: unused,
      howToResume: "",
    },
    checkpointEvery: 2,
    evaluation: evaluation && {
      every: 3,
      async evaluate() {
        evaluation.evaluate(happened.filter((what) => what === "ran").length + from.step);
        signal?.throwIfAborted();
        return { score: 0, metrics: {} };
      },
    },
    signal,
  });
  return { happened, saved, state: await state.catch((error: unknown) => error) };
}

test("a batch is made while the update before it runs, and none beyond a stage", async () => {
  const { happened } = await train({ step: 0, position: 0 });
  const first = [
    "make 0",
    "run 0",
    "make 1",
    "ran",
    "run 1",
    "make 2",
    "ran",
    "run 2",
    "make 3",
    "ran",
    "run 3",
    "ran",
  ];
  const second = ["make 14", "run 14", "make 15", "ran", "run 15", "make 16", "ran", "run 16", "ran"];
  expect(happened).toEqual([...first, ...second]);
});

test("a checkpoint has the place behind the batches that were learnt from, whatever was made", async () => {
  const { saved, state } = await train({ step: 0, position: 0 });
  expect(saved.map(({ step, position }) => [step, position])).toEqual([
    [2, 2],
    [4, 4],
    [6, 16],
    [7, 17],
  ]);
  expect(state).toEqual(saved[3]);
  const { happened } = await train(saved[2]);
  expect(happened).toEqual(["make 16", "run 16", "ran"]);
});

test("an evaluation that is stopped is made after resuming, before anything else", async () => {
  const measured: number[] = [];
  await train({ step: 0, position: 0 }, { evaluation: { evaluated: true, evaluate: (step) => measured.push(step) } });
  expect(measured).toEqual([3, 6, 7]);

  const stop = new AbortController();
  const evaluation = { evaluated: true, evaluate: (step: number) => step === 3 && stop.abort() };
  const { saved, state } = await train({ step: 0, position: 0 }, { evaluation, signal: stop.signal });
  expect(state).toMatchObject({ code: "ABORTED" });
  expect(saved.at(-1)).toMatchObject({ step: 3, position: 3, evaluated: false });

  const again: number[] = [];
  await train(saved[1], { evaluation: { evaluated: false, evaluate: (step) => again.push(step) } });
  expect(again).toEqual([3, 6, 7]);
});

test("an evaluation that was made after resuming is not made once more when that is stopped or killed", async () => {
  const evaluation = { evaluated: false, evaluate: () => {} };
  const { saved } = await train({ step: 3, position: 3 }, { evaluation });
  expect(saved[0]).toMatchObject({ step: 3, position: 3, evaluated: true });
});
