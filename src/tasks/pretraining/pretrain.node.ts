import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { requireKnown } from "../../base/require-known.ts";
import type { BertConfig } from "../../bert/config.ts";
import { linearProducts, trainingFlop } from "../../bert/products.ts";
import { type Corpus, openCorpus, readShard } from "../../corpus/corpus.node.ts";
import type { ReadDocumentsOptions } from "../../corpus/read-documents.node.ts";
import { type MaskedSequence, type Position, pretrainingBatches, START } from "../../data/pretraining-batches.ts";
import {
  chooseDevice,
  type Device,
  openExecutor,
  openStepKernels,
  type Precision,
} from "../../executors/executor.node.ts";
import type { Executor } from "../../graph/executor.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { makeOptimizer } from "../../optim/optimizers.ts";
import { makeSchedule } from "../../optim/schedule.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { measureCeiling } from "../../train/ceiling.ts";
import { type CheckpointFolder, checkpointFolder } from "../../train/checkpoint-folder.node.ts";
import type { Settings } from "../../train/checkpoints.ts";
import { changedSettings, recordable, requireSameSettings } from "../../train/settings.ts";
import { type Stage, type StepEvent, type StepState, stepStateSchema, trainSteps } from "../../train/train-steps.ts";
import type { Evaluation } from "../../train/trainable.ts";
import type { Model } from "../../train/updater.ts";
import { segmentsOf, type WeightType } from "../../train/weights.ts";
import { loadWeights } from "../folder/model-folder.node.ts";
import { claimOutput, type OutputOptions } from "../folder/output-folder.node.ts";
import { architectureOf, openStartingPoint, requireLength, type StartingPoint } from "../folder/starting-point.node.ts";
import { figuresOf, openTrainingLog } from "../folder/training-log.node.ts";
import { instanceVocabulary, readHeldOut } from "./held-out.node.ts";
import { readMetrics, savePretrained } from "./pretrained-folder.node.ts";
import { countMasked, PretrainingEvaluator, pretrainingParameters, trainablePretraining } from "./pretraining.ts";
import {
  completeIntervals,
  completeSettings,
  flatSettings,
  INTERVAL_DEFAULTS,
  type Intervals,
  longestOf,
  PRETRAINING_DEFAULTS,
  type PretrainingSettings,
  stageStart,
} from "./pretraining-settings.ts";

export interface PretrainOptions extends OutputOptions, Partial<PretrainingSettings>, Partial<Intervals> {
  /** Folders that `cloze prepare` wrote. */
  readonly data: readonly string[];
  /** A preset or a config.json, which start from random weights, or a model folder to train further. */
  readonly model: string;
  /** The vocabulary of a preset or config.json, the one that the data was prepared with. */
  readonly vocab?: string;
  /** Text files to evaluate on. */
  readonly heldOut?: readonly string[];
  /** How their text is laid out, see `cloze prepare`. */
  readonly heldOutText?: Pick<ReadDocumentsOptions, "lines" | "locale" | "textColumn">;
  /** Resume although settings have changed. */
  readonly force?: boolean;
  /** Stop, with a checkpoint and a model folder, after so many hours of this run. */
  readonly maxHours?: number;
  /** Compute activations again in the backward pass: the same result in less memory and more time. */
  readonly recompute?: boolean;
  /** How the weights of the model folder are stored. Default float32. */
  readonly weights?: WeightType;
  readonly device?: Device;
  readonly precision?: Precision<"training">;
  readonly threads?: number;
  /** Training goes on when what it returns is settled. */
  readonly onEvent?: (event: PretrainEvent) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** The names of all, since a program may have misspelt one. */
const PRETRAIN_OPTIONS: Readonly<Record<keyof PretrainOptions, unknown>> = {
  ...PRETRAINING_DEFAULTS,
  ...INTERVAL_DEFAULTS,
  warmupSteps: true,
  lastStage: true,
  objective: true,
  duplicates: true,
  dropout: true,
  data: true,
  model: true,
  vocab: true,
  output: true,
  resume: true,
  overwrite: true,
  force: true,
  heldOut: true,
  heldOutText: true,
  maxHours: true,
  recompute: true,
  weights: true,
  device: true,
  precision: true,
  threads: true,
  onEvent: true,
  signal: true,
};

export type PretrainEvent =
  | StepEvent
  | {
      readonly kind: "data";
      readonly tokens: number;
      readonly documents: number;
      readonly shards: number;
      /** Shards of one document, which make no pairs. */
      readonly lone: number;
    }
  | { readonly kind: "heldOut"; readonly sequences: number; readonly maskedTokens: number }
  | {
      readonly kind: "model";
      readonly parameters: number;
      /** Where it begins. */
      readonly step: number;
      readonly totalSteps: number;
      /** Weights of a model folder that start from random values. */
      readonly fresh: readonly string[];
      /** Tokens a second at which it would train if it were made of matrix products alone. */
      readonly ceiling: number;
    }
  /** `step` is 0 where there was no checkpoint yet; `changed` says which settings differ, accepted with `force`. */
  | { readonly kind: "resumed"; readonly step: number; readonly changed?: string }
  /** The training that was to be resumed has ended; its model is in the output folder. */
  | { readonly kind: "ended"; readonly steps: number };

export interface PretrainResult {
  readonly output: string;
  /** Updates made, fewer than `totalSteps` where `maxHours` was over first. */
  readonly steps: number;
  readonly totalSteps: number;
  readonly tokens: number;
  readonly seconds: number;
  /** The figures on held-out text, if there was one. */
  readonly metrics: Readonly<Record<string, unknown>> | undefined;
}

const PositionSchema = z.object({ epoch: z.int().min(0), group: z.int().min(0), sequence: z.int().min(0) });
const StateSchema = stepStateSchema<Position>(PositionSchema);
type State = StepState<Position>;

/** Held-out tokens that an evaluation during training looks at: enough for two digits, little beside the training. */
const HELD_OUT_TOKENS = 100_000;

/**
 * Pre-trains BERT on a prepared corpus (Devlin et al. 2019, section 3.1) and writes a model folder. Throws a ClozeError
 * for whatever is wrong with the data, the options or the machine; an interrupted training can be resumed, bit for bit.
 */
export async function pretrain(given: PretrainOptions): Promise<PretrainResult> {
  requireKnown(given, PRETRAIN_OPTIONS);
  const options = { ...given, device: await chooseDevice(given) };
  const { output, onEvent, resume = false } = options;
  const settings = completeSettings(options);
  const { keep, checkpointEvery, evaluateEvery } = completeIntervals(options);
  const schedule = makeSchedule(settings.schedule, { ...settings, totalSteps: settings.steps });
  const checkpoints = checkpointFolder<State>(output, StateSchema, { keep });
  await claimOutput(options, checkpoints);
  const start = await openStartingPoint(options.model, options.vocab);
  requireLength(longestOf(settings), start.config);
  const corpus = await openData(options, settings, start);
  const executor = await openExecutor(options, "training");
  const recorded = record(options, settings, start, corpus, executor);

  const ended = resume ? await checkpoints.ended() : undefined;
  if (ended !== undefined) {
    requireSameSettings(ended, recorded, ENDED_CURE);
    await checkpoints.end(ended); // where a kill came between record and clean-up
    await onEvent?.({ kind: "ended", steps: ended.step });
    return { ...resultOf(ended, output, settings), metrics: await readMetrics(output) };
  }

  const heldOut = await openHeldOut(options, settings, start);
  const { parameters, fresh } = await firstParameters(start, settings);
  const optimizer = makeOptimizer(settings.optimizer, segmentsOf(parameters), {
    weightDecay: settings.weightDecay,
    kernels: openStepKernels(options),
  });
  const model = { parameters, optimizer };
  const saved = resume ? await restore(checkpoints, model, recorded, settings, options) : undefined;

  const config = trainingConfig(start.config, settings);
  const ceiling = await tokensAtCeiling(executor, config, settings);
  await onEvent?.({
    kind: "model",
    parameters: parameters.count,
    step: saved?.step ?? 0,
    totalSteps: settings.steps,
    fresh: saved ? [] : fresh,
    ceiling,
  });
  const { objective } = settings;
  const evaluator =
    heldOut &&
    (await PretrainingEvaluator.load({ config, objective, parameters }, await openExecutor(options, "inference"), {
      frozen: false,
    }));
  const evaluate =
    heldOut && evaluator && ((signal: AbortSignal | undefined) => evaluator.evaluate(heldOut, { signal }));
  const begin: Omit<State, "settings"> = saved ?? { step: 0, position: START, tokens: 0, seconds: 0, evaluated: true };
  const isMade = begin.step === settings.steps; // a kill came after the last checkpoint: only the result is missing
  let metrics: Evaluation["metrics"] | undefined;
  try {
    if (saved === undefined) await checkpoints.clear();
    const log = await openTrainingLog(output, { step: saved?.step, ceiling });
    const report = async (event: StepEvent) => {
      if (event.kind === "evaluation") {
        ({ metrics } = event.evaluation);
        const isLogged = isMade && begin.evaluated;
        if (!isLogged) await log.record({ kind: "figures", step: event.step, figures: figuresOf("heldOut", metrics) });
      } else {
        await log.record(event);
      }
      await onEvent?.(event);
    };
    try {
      const state = await trainSteps<MaskedSequence, Position>({
        trainable: trainablePretraining(config, objective),
        model,
        executor,
        options: { ...settings, recompute: options.recompute },
        schedule,
        stages: stagesOf(corpus, start.tokenizer, settings),
        state: { ...begin, evaluated: begin.evaluated && !isMade, settings: recorded },
        checkpoints,
        checkpointEvery,
        evaluation: evaluate && { every: evaluateEvery, evaluate },
        maxSeconds: options.maxHours === undefined ? undefined : 3600 * options.maxHours,
        onEvent: report,
        signal: options.signal,
      });
      const result = { ...resultOf(state, output, settings), metrics };
      const pretrained = {
        start,
        model: options.model,
        settings,
        corpus,
        parameters,
        weights: options.weights,
        result,
      };
      await savePretrained(output, pretrained);
      if (state.step === settings.steps) await checkpoints.end(state);
      return result;
    } finally {
      await log.close();
    }
  } finally {
    await evaluator?.dispose();
  }
}

const ENDED_CURE = "It has ended: train on from its model with --model and another --output, or anew with --overwrite.";
const RESUME_CURE = "Resume with the former settings, accept the change with --force, or start anew with --overwrite.";

async function openData({ data, onEvent }: PretrainOptions, { pairs }: PretrainingSettings, start: StartingPoint) {
  const corpus = await openCorpus(data, start.tokenizer);
  const { tokens, documents, shards } = corpus;
  const lone = pairs === "next-sentence" ? shards.filter((shard) => shard.documents === 1).length : 0;
  await onEvent?.({ kind: "data", tokens, documents, shards: shards.length, lone });
  return corpus;
}

async function openHeldOut(
  { heldOut: files, heldOutText, onEvent }: PretrainOptions,
  { pairs, maxLength, maskRate, mask }: PretrainingSettings,
  { tokenizer }: StartingPoint,
) {
  if (files === undefined) return undefined;
  const instances = { pairing: pairs, maxLength, mask: { rate: maskRate, unit: mask } };
  const heldOut = await readHeldOut(files, tokenizer, instances, { ...heldOutText, maxTokens: HELD_OUT_TOKENS });
  await onEvent?.({ kind: "heldOut", sequences: heldOut.length, maskedTokens: countMasked(heldOut) });
  return heldOut;
}

/** What a resumed training must have as it was. */
function record(
  { model, threads }: PretrainOptions,
  settings: PretrainingSettings,
  start: StartingPoint,
  corpus: Corpus,
  executor: Executor,
): Settings {
  return recordable({
    ...flatSettings(settings),
    model,
    architecture: architectureOf(start),
    executor: executor.name,
    threads: threads ?? "all",
    corpus: corpus.hash,
  });
}

/** Goes back to the last checkpoint, if there is one. Throws RESUME_MISMATCH. */
async function restore(
  checkpoints: CheckpointFolder<State>,
  { parameters, optimizer }: Model,
  recorded: Settings,
  { steps }: PretrainingSettings,
  { force, onEvent }: PretrainOptions,
): Promise<State | undefined> {
  const saved = await checkpoints.state();
  if (saved === undefined) {
    await onEvent?.({ kind: "resumed", step: 0 });
    return undefined;
  }
  const changed = changedSettings(saved, recorded);
  if (!force) requireSameSettings(saved, recorded, RESUME_CURE);
  if (saved.step > steps) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the training has more updates behind it than it is to have",
      expected: `${saved.step} --steps or more`,
      received: String(steps),
    });
  }
  await checkpoints.restore(saved, parameters, optimizer);
  await onEvent?.({ kind: "resumed", step: saved.step, changed: changed && `${changed.begun} -> ${changed.now}` });
  return saved;
}

function trainingConfig(config: BertConfig, { dropout }: PretrainingSettings): BertConfig {
  return dropout === undefined ? config : { ...config, hiddenDropout: dropout, attentionDropout: dropout };
}

async function firstParameters({ config, folder }: StartingPoint, { objective, seed }: PretrainingSettings) {
  const parameters = new Parameters(pretrainingParameters(config, objective));
  const names = parameters.views.map(({ spec }) => spec.name);
  const heads = ["cls.", "bert.pooler."];
  const missing =
    folder === undefined ? names : (await loadWeights(folder.path, parameters, { optional: heads })).missing;
  initialise(parameters, config.initializerRange, seed, missing);
  return { parameters, fresh: folder === undefined ? [] : missing };
}

function stagesOf(
  corpus: Corpus,
  tokenizer: BertTokenizer,
  settings: PretrainingSettings,
): readonly Stage<MaskedSequence, Position>[] {
  const { steps, lastStage, pairs, mask, maskRate, ...rest } = settings;
  const source = { count: corpus.shards.length, read: (shard: number) => readShard(corpus.shards[shard]) };
  const vocabulary = instanceVocabulary(tokenizer);
  const stage = (until: number, maxLength: number): Stage<MaskedSequence, Position> => ({
    until,
    batches: (from) => {
      const options = { ...rest, pairing: pairs, mask: { rate: maskRate, unit: mask }, maxLength };
      return pretrainingBatches(source, vocabulary, options, from);
    },
    begin: ({ epoch }) => ({ epoch: epoch + 1, group: 0, sequence: 0 }),
  });
  const first = stage(stageStart(settings), settings.maxLength);
  return lastStage === undefined ? [first] : [first, stage(steps, lastStage.maxLength)];
}

/** Tokens a second at which a step would run if it were made of its matrix products alone. */
async function tokensAtCeiling(executor: Executor, config: BertConfig, settings: PretrainingSettings): Promise<number> {
  const { batchTokens, maxLength, maskRate, accumulate } = settings;
  const tokens = Math.ceil(batchTokens / accumulate);
  const lengths = new Array<number>(Math.max(1, Math.floor(tokens / maxLength))).fill(maxLength);
  const masked = Math.ceil(maskRate * maxLength * lengths.length);
  const size = { lengths, masked, asked: settings.objective === "pretraining" ? masked + lengths.length : masked };
  const flopPerSecond = await measureCeiling(executor, linearProducts(config, size));
  return (flopPerSecond * maxLength * lengths.length) / trainingFlop(config, size);
}

function resultOf({ step, tokens, seconds }: State, output: string, { steps }: PretrainingSettings) {
  return { output, steps: step, totalSteps: steps, tokens, seconds };
}
