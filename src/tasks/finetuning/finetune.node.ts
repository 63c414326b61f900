import { basename } from "node:path";
import type { z } from "zod";
import { requireKnown } from "../../base/require-known.ts";
import type { BertConfig } from "../../bert/config.ts";
import { depthOf } from "../../bert/depth.ts";
import { chooseDevice, openExecutor, openStepKernels } from "../../executors/executor.node.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { requireOption } from "../../optim/options.ts";
import { checkpointFolder } from "../../train/checkpoint-folder.node.ts";
import { recordable, requireSameSettings } from "../../train/settings.ts";
import {
  EpochState,
  settingsOf,
  type TrainingEvent,
  type TrainingOptions,
  train as trainEpochs,
} from "../../train/train.ts";
import { DEFAULT_MAX_LENGTH, type Task, trainableOf } from "../definitions/task.ts";
import { TaskModel, taskParameters } from "../definitions/task-model.ts";
import { isFor, loadWeights, purposeOf, storedWeights } from "../folder/model-folder.node.ts";
import { claimOutput } from "../folder/output-folder.node.ts";
import { SHIPPED_MODEL, SHIPPED_NAME } from "../folder/shipped-model.node.ts";
import { architectureOf, openStartingPoint, requireLength, type StartingPoint } from "../folder/starting-point.node.ts";
import { figuresOf, openTrainingLog, type TrainingLog } from "../folder/training-log.node.ts";
import { breakdownRecord } from "./breakdown.node.ts";
import { FINETUNE_OPTIONS, type FileReport, type FinetuneOptions, trainingOptions } from "./finetune-options.node.ts";
import { saveResult } from "./result-folder.node.ts";
import { fingerprint, type Reader, readTrainingData, withFewPlaces } from "./training-data.node.ts";

export interface FinetuneResult {
  readonly output: string;
  readonly labels: readonly string[];
  /** What follows `cloze predict DIR` to ask the model something. */
  readonly usage: string;
  readonly steps: number;
  /** The figure that the best checkpoint was chosen by, where there was something to choose by. */
  readonly score: number | undefined;
  /** Figures of the best checkpoint on the dev file, if there was one. */
  readonly metrics: Readonly<Record<string, unknown>> | undefined;
  /** The training file, and the dev file if there was one; of each reason for leaving out the first 100 places. */
  readonly files: readonly FileReport[];
}

/**
 * Fine-tunes a model for a task and writes a model folder; `options` hold those of the task too. Throws a ClozeError for
 * whatever is wrong with the files, the options or the machine; an interrupted training can be resumed. One that broke down
 * is not repeated by that: with the same settings its error is thrown again at once.
 */
export async function finetuneTask<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  read: Reader<I, G, z.infer<R>>,
  given: FinetuneOptions,
): Promise<FinetuneResult> {
  requireKnown(given, { ...FINETUNE_OPTIONS, ...task.reading.shape, ...task.settings.shape });
  const options = { ...given, device: await chooseDevice(given) };
  const { output, onEvent } = options;
  const checkpoints = checkpointFolder(output, EpochState);
  await claimOutput(options, checkpoints);
  const start = await chooseModel(options, task.defaultMaxLength);
  const { context, features, dev, files } = await readTrainingData(task, read, options, start);
  for (const file of files) await onEvent?.({ kind: "data", ...file });
  const { labels } = context;
  const result = { output, labels, usage: task.usage(context.settings), files: files.map(withFewPlaces) };
  const training = trainingOptions(options);
  const executor = await openExecutor(options, "training");
  const evaluator = await openExecutor(options, "inference");
  const settings = {
    ...settingsOf(training),
    ...recordable(Object.fromEntries(Object.entries(context.settings).map(([name, value]) => [name, plain(value)]))),
    task: task.name,
    model: options.model ?? SHIPPED_NAME,
    architecture: architectureOf(start),
    executor: executor.name,
    threads: options.threads ?? "all",
    ...(options.fold && { fold: `${options.fold.index} of ${options.fold.of}` }),
    maxLength: start.maxLength,
    labels: JSON.stringify(labels),
    trainingData: fingerprint(features),
    ...(dev && {
      devData: fingerprint(
        dev.flatMap(({ features }) => features),
        dev.map(({ example }) => example.gold),
      ),
      evaluator: evaluator.name,
    }),
  };
  const ended = options.resume ? await checkpoints.ended() : undefined;
  if (ended !== undefined) {
    requireSameSettings(ended, settings);
    await checkpoints.end(ended); // where a kill came between record and clean-up
    await onEvent?.({ kind: "ended", steps: ended.step });
    return { ...result, ...outcomeOf(ended) };
  }
  const breakdown = breakdownRecord(output);
  const known = options.resume ? await breakdown.recall(settings) : undefined;
  if (known !== undefined) throw known;

  const { config } = start;
  const parameters = new Parameters(taskParameters(task, config, context));
  const { missing, unused } = await loadFirstWeights(task, start, parameters, labels);
  initialise(parameters, config.initializerRange, training.seed, missing);
  const isResumed = options.resume && (await checkpoints.state()) !== undefined;
  const fresh = isResumed || start.folder === undefined ? [] : missing;
  await onEvent?.({ kind: "model", parameters: parameters.count, labels, fresh, unused });

  const model = dev && (await TaskModel.load(task, { config, parameters, context }, evaluator, { frozen: false }));
  let from = 0;
  let log: TrainingLog | undefined;
  const report = async (event: TrainingEvent) => {
    if (event.kind === "resumed") from = event.step;
    if (event.kind === "epoch" && event.evaluation) {
      const figures = figuresOf("dev", { score: event.evaluation.score, ...event.evaluation.metrics });
      await log?.record({ kind: "figures", step: event.step, figures });
    }
    if (event.kind === "step" || event.kind === "checkpoint") await log?.record(event);
    await onEvent?.(event);
  };
  const state = await trainEpochs({
    trainable: trainableOf(task, config, context),
    examples: features,
    parameters,
    rateOf: learningRates(config, training),
    executor,
    kernels: openStepKernels(options),
    options: training,
    evaluate: model && dev && (async (signal) => (await model.evaluatePrepared(dev, { signal })).evaluation),
    checkpoints,
    beforeFirstStep: async () => {
      await breakdown.forget(); // of other settings
      if (from === 0) await checkpoints.clear(); // begins it, so that it can be resumed from here on
      log = await openTrainingLog(output, { step: options.resume ? from : undefined });
    },
    resume: options.resume,
    settings,
    onEvent: report,
    signal: options.signal,
  })
    .catch(async (error) => {
      await breakdown.keep(error, settings);
      throw error;
    })
    .finally(async () => {
      await model?.dispose();
      await log?.close();
    });

  const source = basename(options.model ?? SHIPPED_MODEL);
  await saveResult(output, task, { source, config, context, parameters, training, state });
  await checkpoints.end(state);
  return { ...result, ...outcomeOf(state) };
}

/**
 * Each weight's learning rate as a multiple of the head's: one factor of layer-wise decay for each layer below it (Clark et
 * al. 2020, ELECTRA). ELECTRA's code takes two to the top layer, a left-over of a pooler that it no longer has, as its author
 * says (google-research/electra, issue 51); here a pooler counts with the head.
 */
function learningRates(config: BertConfig, { layerDecay, freezeLayers }: TrainingOptions): (name: string) => number {
  return (name) => {
    const depth = depthOf(name, config);
    const isFrozen = freezeLayers !== undefined && depth <= freezeLayers;
    return isFrozen ? 0 : layerDecay ** (config.layers + 1 - depth);
  };
}

/** A setting as it can be recorded and compared. */
function plain(value: unknown): boolean | number | string | undefined {
  const isPlain = typeof value === "boolean" || typeof value === "number" || typeof value === "string";
  return isPlain ? value : value === undefined ? undefined : JSON.stringify(value);
}

interface Start extends StartingPoint {
  /** Tokens of a text at most. */
  readonly maxLength: number;
}

async function chooseModel(
  { model = SHIPPED_MODEL, vocab, maxLength: wanted, freezeLayers }: FinetuneOptions,
  usual: number = DEFAULT_MAX_LENGTH,
): Promise<Start> {
  const start = await openStartingPoint(model, vocab);
  const maxLength = wanted ?? Math.min(usual, start.config.maxPositions);
  requireLength(maxLength, start.config);
  requireOption(maxLength >= 3, "maxLength", maxLength, "3 or more: a token between two special ones");
  const { layers } = start.config;
  requireOption(
    (freezeLayers ?? 0) <= layers,
    "freezeLayers",
    `${freezeLayers}`,
    `at most the model's ${layers} layers`,
  );
  return { ...start, maxLength };
}

/** A head is kept only where it was trained for the same task and the very same labels. */
async function loadFirstWeights<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  { folder }: Start,
  parameters: Parameters,
  labels: readonly string[],
) {
  if (folder === undefined) return { missing: parameters.views.map(({ spec }) => spec.name), unused: [] };
  const head = parameters.views.map(({ spec }) => spec.name).filter((name) => !name.startsWith("bert."));
  const sameLabels = task.labels === undefined || JSON.stringify(folder.labels) === JSON.stringify(labels);
  const keepsHead = sameLabels && isFor(await purposeOf(folder.path), task);
  const hasPooler = (await storedWeights(folder.path)).some(({ name }) => name.includes("pooler."));
  const optional = hasPooler ? head : [...head, "bert.pooler."]; // a masked LM alone has none
  return loadWeights(folder.path, parameters, { optional, skip: keepsHead ? [] : head });
}

function outcomeOf({ step, best }: EpochState): Pick<FinetuneResult, "steps" | "score" | "metrics"> {
  return { steps: step, score: best?.evaluation.score, metrics: best?.evaluation.metrics };
}
