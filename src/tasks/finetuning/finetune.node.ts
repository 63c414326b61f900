import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { countOf } from "../../base/count-of.ts";
import { ClozeError } from "../../base/errors.ts";
import { mapValues } from "../../base/map-values.ts";
import type { BertConfig } from "../../bert/config.ts";
import { depthOf } from "../../bert/depth.ts";
import { type Device, openExecutor, openStepKernels, type Precision } from "../../executors/executor.node.ts";
import { recoverAtomicWrite, writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { confusionMatrixSvg } from "../../formats/confusion-matrix-svg.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { requireOption } from "../../optim/options.ts";
import { checkpointFolder } from "../../train/checkpoint-folder.node.ts";
import { recordable, requireSameSettings } from "../../train/settings.ts";
import {
  EpochState,
  settingsOf,
  TRAINING_DEFAULTS,
  type TrainingEvent,
  type TrainingOptions,
  train as trainEpochs,
} from "../../train/train.ts";
import {
  DEFAULT_MAX_LENGTH,
  type Examples,
  type Feature,
  type Task,
  type TaskContext,
  trainableOf,
} from "../definitions/task.ts";
import { type PreparedExample, prepareExamples, TaskModel, taskParameters } from "../definitions/task-model.ts";
import {
  isFor,
  loadWeights,
  MODEL_FILES,
  purposeOf,
  saveModelFolder,
  storedWeights,
} from "../folder/model-folder.node.ts";
import { claimOutput, type OutputOptions } from "../folder/output-folder.node.ts";
import { SHIPPED_MODEL, SHIPPED_NAME } from "../folder/shipped-model.node.ts";
import { openStartingPoint, requireLength, type StartingPoint } from "../folder/starting-point.node.ts";
import { CURVES, drawCurves } from "../folder/training-curves.node.ts";
import { figuresOf, openTrainingLog, type TrainingLog } from "../folder/training-log.node.ts";
import { requireKnown } from "../run/call-form.ts";
import { parseOptions } from "../run/parse-options.ts";
import { breakdownRecord } from "./breakdown.node.ts";
import { countGroups, foldsOf } from "./folds.ts";
import { modelCard } from "./model-card.ts";

export interface FinetuneOptions extends OutputOptions, Partial<TrainingOptions> {
  /**
   * A model folder to start from, or a preset or a config.json, which start from random weights. Default: the model that
   * comes with the package.
   */
  readonly model?: string;
  /** The vocabulary of a preset or config.json: a vocab.txt, a tokenizer.json or a folder with either. */
  readonly vocab?: string;
  readonly train: string;
  readonly dev?: string;
  /**
   * In place of `dev`: part `index`, from 0, of `of` equal parts of the training file is held back, drawn by chance; what
   * belongs together stays together.
   */
  readonly fold?: { readonly index: number; readonly of: number };
  /**
   * Tokens of a sequence at most, special tokens included. Default: the task's, {@link DEFAULT_MAX_LENGTH} for most, or as many
   * as the model takes.
   */
  readonly maxLength?: number;
  readonly device?: Device;
  readonly precision?: Precision<"training">;
  readonly threads?: number;
  /** Compute on a thread of its own, so that the caller's event loop stays free; slower, since all numbers are copied. */
  readonly worker?: boolean;
  /** Training goes on when what it returns is settled. */
  readonly onEvent?: (event: FinetuneEvent) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** The names of all, since a program may have misspelt one. */
const OPTIONS: Readonly<Record<keyof FinetuneOptions, true>> = {
  model: true,
  vocab: true,
  train: true,
  dev: true,
  fold: true,
  output: true,
  resume: true,
  overwrite: true,
  maxLength: true,
  epochs: true,
  batchSize: true,
  accumulate: true,
  recompute: true,
  learningRate: true,
  warmupRatio: true,
  weightDecay: true,
  layerDecay: true,
  freezeLayers: true,
  clipNorm: true,
  patience: true,
  checkpointEvery: true,
  seed: true,
  device: true,
  precision: true,
  threads: true,
  worker: true,
  onEvent: true,
  signal: true,
};

export type FinetuneEvent =
  | TrainingEvent
  /** A file was read. */
  | ({ readonly kind: "data" } & FileReport)
  /** The model is ready to train. */
  | {
      readonly kind: "model";
      readonly parameters: number;
      readonly labels: readonly string[];
      /** Weights that start from random values. */
      readonly fresh: readonly string[];
      /** Weights of the folder that the task has no use for. */
      readonly unused: readonly string[];
    }
  /** The training that was to be resumed has ended; its model is in the output folder. */
  | { readonly kind: "ended"; readonly steps: number };

/**
 * What became of a file: `skipped` says what was left out, by reason, be it in reading or because there is nothing to learn
 * from it, and `places` where that stood.
 */
export interface FileReport extends Pick<Examples<unknown, unknown>, "file" | "skipped" | "places" | "notes"> {
  readonly examples: number;
  /** How many inputs were too long and cut. */
  readonly truncated: number;
}

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

/** How the files of a task are read. */
export type Reader<I, G, R> = (path: string, options: R) => Promise<Examples<I, G>>;

/**
 * Fine-tunes a model for a task and writes a model folder; `options` hold those of the task too. Throws a ClozeError for
 * whatever is wrong with the files, the options or the machine; an interrupted training can be resumed. One that broke down
 * is not repeated by that: with the same settings its error is thrown again at once.
 */
export async function finetuneTask<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  read: Reader<I, G, z.infer<R>>,
  options: FinetuneOptions,
): Promise<FinetuneResult> {
  const own = [task.reading, task.settings].flatMap(({ shape }) => Object.keys(shape));
  requireKnown(options, [...Object.keys(OPTIONS), ...own]);
  const { output, onEvent } = options;
  const checkpoints = checkpointFolder(output, EpochState);
  await claimOutput(options, checkpoints);
  const start = await chooseModel(options, task.defaultMaxLength);
  const reading = parseOptions(task.reading, options);
  const { all, train, dev } = await readExamples(options, (path) => read(path, reading));
  const chosen = parseOptions(task.settings, options);
  const taskSettings = task.settle?.(all, chosen) ?? chosen;
  const labels = task.labels?.(all, taskSettings) ?? [];
  const context = { tokenizer: start.tokenizer, labels, maxLength: start.maxLength, settings: taskSettings };
  const learnt = prepareTraining(task, train, context);
  requireRoom(learnt.features, start.maxLength);
  await onEvent?.({ kind: "data", ...learnt.report });
  const features = task.weigh?.(learnt.features, context) ?? learnt.features;
  // To measure by, all of them: what cannot be learnt can be answered nevertheless.
  const preparedDev = dev && prepareExamples(task, dev.examples, context);
  const devReport = dev && preparedDev && reportOf(dev, preparedDev);
  if (devReport) await onEvent?.({ kind: "data", ...devReport });
  const reports = [learnt.report, ...(devReport ? [devReport] : [])];
  const result = { output, labels, usage: task.usage(taskSettings), files: reports.map(withFewPlaces) };
  const training = trainingOptions(options);
  const executor = openExecutor(options, "training");
  const settings = {
    ...settingsOf(training),
    ...recordable(Object.fromEntries(Object.entries(taskSettings).map(([name, value]) => [name, plain(value)]))),
    task: task.name,
    model: options.model ?? SHIPPED_NAME,
    executor: executor.name,
    threads: options.threads ?? "all",
    ...(options.fold && { fold: `${options.fold.index} of ${options.fold.of}` }),
    maxLength: start.maxLength,
    labels: JSON.stringify(labels),
    trainingData: fingerprint(features),
    ...(preparedDev && { devData: fingerprint(preparedDev.flatMap((example) => example.features)) }),
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
  const fresh = start.folder === undefined ? [] : missing;
  await onEvent?.({ kind: "model", parameters: parameters.count, labels, fresh, unused });

  const model =
    dev &&
    (await TaskModel.load(task, { config, parameters, context }, openExecutor(options, "inference"), {
      frozen: false,
    }));
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
    evaluate:
      model && preparedDev && (async (signal) => (await model.evaluatePrepared(preparedDev, { signal })).evaluation),
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

  await saveResult(task, options, start, { context, parameters, training, state });
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

/** Of a pair of which only special tokens are left there is nothing to learn. Throws OPTION_INVALID. */
function requireRoom(features: readonly Feature[], maxLength: number): void {
  const inPairs = features.some(({ sequences }) => sequences.some(({ typeIds }) => typeIds.includes(1)));
  requireOption(
    !inPairs || maxLength >= 5,
    "maxLength",
    maxLength,
    "5 or more for pairs: a token of each and three special ones",
  );
}

/**
 * The examples to learn from and those to choose by; `all` are those of the training file, whose labels a fold has too. Throws
 * OPTION_INVALID for a fold that there is not.
 */
async function readExamples<I, G>(
  { train: path, dev, fold }: FinetuneOptions,
  read: (path: string) => Promise<Examples<I, G>>,
): Promise<{ all: Examples<I, G>; train: Examples<I, G>; dev: Examples<I, G> | undefined }> {
  const all = await read(path);
  if (fold === undefined) return { all, train: all, dev: dev === undefined ? undefined : await read(dev) };
  const { index, of } = fold;
  if (dev !== undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "a fold of the training file takes the place of a dev file",
      expected: "one of them",
      received: `both a fold and ${dev}`,
    });
  }
  const most = countGroups(all.examples);
  if (!Number.isInteger(of) || of < 2 || of > most) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the training file cannot be divided into folds",
      expected: `2 to ${most} of them, as many as there are examples that do not belong together`,
      received: String(of),
    });
  }
  if (!Number.isInteger(index) || index < 0 || index >= of) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `there is no such fold of ${of}`,
      expected: `an index from 0 to ${of - 1}`,
      received: String(index),
    });
  }
  const folds = foldsOf(all.examples, of);
  const part = (isHeld: boolean) => ({
    ...all,
    examples: all.examples.filter((_, i) => (folds[i] === index) === isHeld),
  });
  const heldBack = { ...part(true), file: `${path}, fold ${index + 1} of ${of}`, ...TOLD_BEFORE };
  return { all, train: part(false), dev: heldBack };
}

/** What reading left out of a file is told of once, not with each part of it. */
const TOLD_BEFORE = { skipped: {}, places: undefined, notes: undefined } as const;

/** What there is to learn from a file. Throws FILE_EMPTY where there is nothing. */
function prepareTraining<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  data: Examples<I, G>,
  context: TaskContext<z.infer<S>>,
): { readonly features: readonly Feature[]; readonly report: FileReport } {
  const prepared = prepareExamples(task, data.examples, context);
  const learnable = prepared.filter(({ features }) => features.length > 0);
  const others = prepared.filter(({ features }) => features.length === 0).map(({ example }) => example.place);
  const left = byReason(data, others);
  if (learnable.length === 0) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `there is nothing to learn from ${data.file}`,
      expected: "an example whose answer can be found in it",
      received: Object.entries(left)
        .map(([reason, { length }]) => `${countOf(length, "example")} ${reason}`)
        .join(", "),
      cure: "Check the file, and whether --max-length leaves room for what is to be found.",
    });
  }
  const report = reportOf(leavingOut(data, left), learnable);
  return { features: learnable.flatMap(({ features }) => features), report };
}

const NOTHING_TO_LEARN = "without anything to learn";

/** The places of examples without anything to learn, by what the reader has noted of them, if anything. */
function byReason({ notes = {}, places = {} }: Examples<unknown, unknown>, others: readonly string[]) {
  const noteOf = new Map(Object.keys(notes).flatMap((note) => (places[note] ?? []).map((place) => [place, note])));
  const left: Record<string, string[]> = {};
  for (const place of others) {
    const reason = noteOf.get(place) ?? NOTHING_TO_LEARN;
    left[reason] ??= [];
    left[reason].push(place);
  }
  return left;
}

/** What is told of a file some of whose examples were left out too, each of which is counted once: no longer as a note. */
function leavingOut<I, G>(data: Examples<I, G>, left: Readonly<Record<string, readonly string[]>>): Examples<I, G> {
  const skipped = { ...data.skipped, ...mapValues(left, ({ length }) => length) };
  const notes = Object.entries(data.notes ?? {}).flatMap(([note, count]) => {
    const others = count - (left[note]?.length ?? 0);
    return others > 0 ? [[note, others] as const] : [];
  });
  return { ...data, skipped, places: { ...data.places, ...left }, notes: data.notes && Object.fromEntries(notes) };
}

function reportOf<I, G>(
  { file, skipped, places, notes }: Examples<I, G>,
  prepared: readonly PreparedExample<I, G>[],
): FileReport {
  const truncated = prepared.filter((example) => example.truncated).length;
  return { file, examples: prepared.length, skipped, places, notes, truncated };
}

/** Enough to look at; there may be thousands. */
const MOST_PLACES = 100;

function withFewPlaces({ places = {}, ...report }: FileReport): FileReport {
  const few = Object.entries(places).map(([reason, places]) => [reason, places.slice(0, MOST_PLACES)] as const);
  return { ...report, places: Object.fromEntries(few) };
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

async function saveResult<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  { output, model = SHIPPED_MODEL }: FinetuneOptions,
  { config, tokenizer, maxLength }: Start,
  result: {
    context: TaskContext<z.infer<S>>;
    parameters: Parameters;
    training: TrainingOptions;
    state: EpochState;
  },
) {
  const { context, parameters, training, state } = result;
  const { labels } = context;
  const { metrics } = outcomeOf(state);
  const settings = (metrics && task.conclude?.(context.settings, metrics)) ?? context.settings;
  for (const name of [...MODEL_FILES, METRICS, CARD]) await recoverAtomicWrite(join(output, name));
  await saveModelFolder(output, {
    architecture: task.architecture,
    problemType: task.problemType,
    taskSettings: Object.keys(settings).length > 0 ? { [task.name]: settings } : undefined,
    labels: labels.length > 0 ? labels : undefined,
    config,
    tokenizer,
    parameters,
    maxLength,
  });
  const figures = { task: task.name, step: state.best?.step ?? state.step, labels, ...metrics };
  await writeFileAtomic(join(output, METRICS), `${JSON.stringify(figures, null, 2)}\n`);
  const pictures = await drawPictures(output, labels, metrics);
  const source = basename(model);
  const size = parameters.count;
  const usage = task.usage(settings);
  const told = {
    task,
    usage,
    config,
    labels,
    parameters: size,
    training,
    maxLength,
    settings,
    source,
    metrics,
    pictures,
  };
  const card = modelCard(told);
  await writeFileAtomic(join(output, CARD), card);
}

/** Draws the course of the loss, and what was taken for what on the dev file; returns the pictures by what they show. */
async function drawPictures(
  output: string,
  labels: readonly string[],
  metrics: FinetuneResult["metrics"],
): Promise<Record<string, string>> {
  const series = { "train/loss": "training", "dev/loss": "dev" };
  await writeFileAtomic(join(output, CURVES), await drawCurves(output, { title: "Loss", series }));
  const { data: matrix } = z.array(z.array(z.number())).safeParse(metrics?.confusion);
  if (matrix === undefined) {
    await rm(join(output, CONFUSION), { force: true }); // that of another model
    return { "Loss over the updates": CURVES };
  }
  const title = "Confusion matrix of the dev examples";
  await writeFileAtomic(join(output, CONFUSION), confusionMatrixSvg({ title, matrix, labels }));
  return { "Loss over the updates": CURVES, [title]: CONFUSION };
}

const CONFUSION = "confusion.svg";
const METRICS = "metrics.json";
const CARD = "README.md";

function outcomeOf({ step, best }: EpochState): Pick<FinetuneResult, "steps" | "score" | "metrics"> {
  return { steps: step, score: best?.evaluation.score, metrics: best?.evaluation.metrics };
}

function trainingOptions(options: FinetuneOptions): TrainingOptions {
  const { patience, checkpointEvery, freezeLayers, recompute } = options;
  if (patience !== undefined && options.dev === undefined && options.fold === undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "without data to evaluate on there is nothing to be patient about",
      expected: "--dev beside --patience",
    });
  }
  const names = Object.keys(TRAINING_DEFAULTS) as (keyof typeof TRAINING_DEFAULTS)[];
  const chosen = names.map((name) => [name, options[name] ?? TRAINING_DEFAULTS[name]]);
  return { ...TRAINING_DEFAULTS, ...Object.fromEntries(chosen), patience, checkpointEvery, freezeLayers, recompute };
}

/** A hash of all tokens and targets, by which a resumed training knows its data again. */
function fingerprint(features: readonly Feature[]): string {
  const hash = createHash("sha256");
  for (const { sequences, target } of features) {
    for (const { ids, typeIds } of sequences) hash.update(ids).update(typeIds);
    hash.update(target);
  }
  return hash.digest("hex").slice(0, 16);
}
