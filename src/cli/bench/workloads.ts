import { Random } from "../../base/random.ts";
import { bert, bertInputs } from "../../bert/bert.ts";
import { type BertConfig, withoutDropout } from "../../bert/config.ts";
import { forwardFlop, trainingFlop } from "../../bert/products.ts";
import { type DifferentiateOptions, parameterGradients } from "../../graph/differentiate.ts";
import { type Executor, type TimedCall, type Value, vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { pretraining } from "../../heads/pretraining.ts";
import { AdamW } from "../../optim/adamw.ts";
import { clipScale } from "../../optim/gradients.ts";
import type { OpenKernels } from "../../optim/kernels.ts";
import { segmentsOf } from "../../train/weights.ts";
import type { Part } from "./report.ts";

/** What is run again and again: with random weights, over random tokens. */
export interface Workload {
  /** Floating-point operations of a run's products. */
  readonly flop: number;
  /** Makes the run of this number. Returns its parts: none where the executor does not time its kernels. */
  run(index: number): Promise<readonly Part[]>;
  dispose(): Promise<void>;
}

export type OpenWorkload = (
  config: BertConfig,
  lengths: readonly number[],
  means: Means,
  options: DifferentiateOptions,
) => Promise<Workload>;

interface Means {
  readonly executor: Executor;
  /** What updates parameters beside it. */
  readonly stepKernels: OpenKernels;
}

const SEED = 1;
const MASK_RATE = 0.15;
const LEARNING_RATE = 1e-4;
const CLIP_NORM = 1;
/** Bytes of a parameter's update: the norm reads its gradient, AdamW reads it again and changes it and both moments. */
const UPDATE_BYTES = 4 + 4 + 3 * 8;

/** A step of pre-training: masked LM and next sentence, gradients, clipping and AdamW, as `Updater` makes it. */
export const openStep: OpenWorkload = async (config, lengths, { executor, stepKernels }, options) => {
  const { loss } = pretraining(config);
  const graph = makeGraph({ loss, ...parameterGradients(loss, options) });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, config.initializerRange, SEED);
  const gradients = parameters.like();
  const outputs = Object.fromEntries(gradients.views.map(({ spec, data }) => [spec.name, data]));
  const optimizer = new AdamW(segmentsOf(parameters), { kernels: stepKernels });
  const executable = await executor.load(graph, parameters);
  const inputs = pretrainingBatch(config, lengths);
  const masked = inputs.maskedPositions.data.length;
  return {
    flop: trainingFlop(config, { lengths, masked, asked: masked + lengths.length }),
    async run(index) {
      let calls: readonly TimedCall[] = [];
      const onCalls = (told: readonly TimedCall[]) => {
        calls = told;
      };
      await executable.run(inputs, { outputs, seed: index, onCalls });
      const start = performance.now();
      const gradientScale = clipScale(await optimizer.norm(gradients.buffer), CLIP_NORM);
      await optimizer.step(parameters.buffer, gradients.buffer, { learningRate: LEARNING_RATE, gradientScale });
      const seconds = (performance.now() - start) / 1000;
      const update = { family: "optimizer", seconds, flop: 0, bytes: UPDATE_BYTES * parameters.count };
      return calls.length === 0 ? [] : [...calls, update];
    },
    dispose: () => executable.dispose(),
  };
};

/** The encoder's forward pass with frozen weights. */
export const openInference: OpenWorkload = async (config, lengths, { executor }) => {
  const graph = makeGraph({ hidden: bert(withoutDropout(config), bertInputs()).hidden });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, config.initializerRange, SEED);
  const executable = await executor.load(graph, parameters, { frozen: true });
  const inputs = encoderBatch(config, lengths);
  return {
    flop: forwardFlop(config, { lengths, masked: 0 }),
    async run() {
      let parts: readonly TimedCall[] = [];
      await executable.run(inputs, {
        onCalls: (calls) => {
          parts = calls;
        },
      });
      return parts;
    },
    dispose: () => executable.dispose(),
  };
};

function encoderBatch({ vocabSize }: BertConfig, lengths: readonly number[]) {
  const T = lengths.reduce((a, b) => a + b, 0);
  return {
    ids: randomNumbers("ids", T, vocabSize),
    typeIds: vector(new Int32Array(T)),
    lengths: vector(Int32Array.from(lengths)),
  };
}

/** Inputs of pre-training with random tokens, 15% of them masked. */
export function pretrainingBatch(config: BertConfig, lengths: readonly number[]) {
  const encoder = encoderBatch(config, lengths);
  const T = encoder.ids.data.length;
  const B = lengths.length;
  const M = Math.max(1, Math.round(MASK_RATE * T));
  return {
    ...encoder,
    maskedPositions: vector(Int32Array.from({ length: M }, (_, i) => Math.floor((i * T) / M))),
    maskedLabels: randomNumbers("labels", M, config.vocabSize),
    maskedWeights: meanWeights(M),
    nextSentence: randomNumbers("pairs", B, 2),
    nextSentenceWeights: meanWeights(B),
  };
}

function randomNumbers(name: string, length: number, bound: number): Value {
  const random = Random.of(SEED, "bench", name);
  return vector(Int32Array.from({ length }, () => random.below(bound)));
}

function meanWeights(length: number): Value {
  return vector(new Float32Array(length).fill(1 / length));
}
