import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { ClozeError } from "../base/errors.ts";
import { type BertConfig, isPreset, presetConfig } from "../bert/config.ts";
import { onnxExecutor } from "../executors/onnx/node.node.ts";
import type { Device } from "../executors/onnx/session.ts";
import { recoverAtomicWrite, writeFileAtomic } from "../formats/atomic-write.node.ts";
import { initialise, Parameters } from "../graph/parameters.ts";
import { loadTokenizer } from "../tokenizer/folder.node.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { checkpointFolder } from "../train/checkpoint-folder.node.ts";
import type { TrainingState } from "../train/checkpoints.ts";
import { requireSameSettings, settingsOf, type TrainingEvent, type TrainingOptions, train } from "../train/train.ts";
import {
  type LabelledTexts,
  labelIndex,
  labelsOf,
  type ReadOptions,
  readLabelledTexts,
} from "./labelled-texts.node.ts";
import { modelCard } from "./model-card.ts";
import { loadWeights, MODEL_FILES, openModelFolder, saveModelFolder } from "./model-folder.node.ts";
import { claimOutput, type OutputOptions } from "./output-folder.node.ts";
import {
  Classifier,
  classifierParameters,
  encodeText,
  type LabelledSequence,
  trainableClassifier,
} from "./text-classification.ts";

export interface FinetuneOptions extends ReadOptions, OutputOptions, Partial<TrainingOptions> {
  /** A model folder to start from, or a preset, which starts from random weights. */
  readonly model: string;
  /** The vocabulary of a preset: a vocab.txt, a tokenizer.json or a folder with either. */
  readonly vocab?: string;
  readonly train: string;
  readonly dev?: string;
  /** Tokens of a text at most, special tokens included. Default 128. */
  readonly maxLength?: number;
  readonly device?: Device;
  readonly threads?: number;
  readonly onEvent?: (event: FinetuneEvent) => void;
  readonly signal?: AbortSignal;
}

export type FinetuneEvent =
  | TrainingEvent
  /** A file was read; rows without text were left out, longer texts cut. */
  | {
      readonly kind: "data";
      readonly file: string;
      readonly examples: number;
      readonly skipped: number;
      readonly truncated: number;
    }
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

export interface FinetuneResult {
  readonly output: string;
  readonly labels: readonly string[];
  readonly steps: number;
  /** Figures of the best checkpoint on the dev file, if there was one. */
  readonly metrics: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Fine-tunes a text classifier on a table file and writes a model folder. Throws a ClozeError for whatever is wrong with
 * the files, the options or the machine; an interrupted training can be resumed.
 */
export async function finetune(options: FinetuneOptions): Promise<FinetuneResult> {
  const { output, maxLength = 128, onEvent } = options;
  const checkpoints = checkpointFolder(output);
  await claimOutput(options, checkpoints);
  const { config, tokenizer, folder } = await chooseModel(options);
  if (maxLength > config.maxPositions) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "--max-length is more than the model takes",
      expected: `at most ${config.maxPositions}`,
      received: String(maxLength),
    });
  }

  const trainTexts = await readLabelledTexts(options.train, options);
  const devTexts = options.dev === undefined ? undefined : await readLabelledTexts(options.dev, options);
  const labels = labelsOf(trainTexts);
  const encode = ({ file, examples, skipped }: LabelledTexts) => {
    let truncated = 0;
    const sequences = examples.map((example) => {
      const encoding = encodeText(tokenizer, example, maxLength);
      if (encoding.truncated) truncated++;
      return { ids: encoding.ids, typeIds: encoding.typeIds, label: labelIndex(example, labels), place: example.place };
    });
    onEvent?.({ kind: "data", file, examples: examples.length, skipped, truncated });
    return sequences;
  };
  const trainExamples = encode(trainTexts);
  const devExamples = devTexts && encode(devTexts);

  const training = trainingOptions(options);
  const settings = {
    ...settingsOf(training),
    model: options.model,
    maxLength,
    labels: JSON.stringify(labels),
    trainingData: fingerprint(trainExamples),
    ...(devExamples && { devData: fingerprint(devExamples) }),
  };
  const ended = options.resume ? await checkpoints.ended() : undefined;
  if (ended !== undefined) {
    requireSameSettings(ended, settings);
    await checkpoints.end(ended); // where a kill came between record and clean-up
    onEvent?.({ kind: "ended", steps: ended.step });
    return resultOf(ended, output, labels);
  }

  const parameters = new Parameters(classifierParameters(config, labels.length));
  initialise(parameters, config.initializerRange, training.seed);
  const { missing, unused } =
    folder === undefined
      ? { missing: [], unused: [] }
      : await loadWeights(folder, parameters, { optional: ["classifier."] });
  onEvent?.({ kind: "model", parameters: parameters.count, labels, fresh: missing, unused });

  if (options.overwrite) await checkpoints.clear(); // not before all input has proved good
  const executor = onnxExecutor(options);
  const model = { config, labels: labels.length, parameters };
  const classifier = devExamples && (await Classifier.load(model, executor, { frozen: false }));
  const state = await train({
    trainable: trainableClassifier(config, labels.length, trainExamples),
    parameters,
    executor,
    options: training,
    evaluate: classifier && devExamples && (() => classifier.evaluate(devExamples)),
    checkpoints,
    resume: options.resume,
    settings,
    onEvent,
    signal: options.signal,
  }).finally(() => classifier?.dispose());

  const { metrics } = resultOf(state, output, labels);
  for (const name of [...MODEL_FILES, "metrics.json", "README.md"]) await recoverAtomicWrite(join(output, name));
  const architecture = "BertForSequenceClassification";
  await saveModelFolder(output, { architecture, config, labels, tokenizer, parameters, maxLength });
  const figures = { task: "text-classification", step: state.best?.step ?? state.step, labels, ...metrics };
  await writeFileAtomic(join(output, "metrics.json"), `${JSON.stringify(figures, null, 2)}\n`);
  const card = modelCard({
    config,
    labels,
    parameters: parameters.count,
    training,
    source: basename(options.model),
    metrics,
  });
  await writeFileAtomic(join(output, "README.md"), card);
  await checkpoints.end(state);
  return resultOf(state, output, labels);
}

function resultOf({ step, best }: TrainingState, output: string, labels: readonly string[]): FinetuneResult {
  return { output, labels, steps: step, metrics: best?.evaluation.metrics };
}

/** The configuration and tokenizer to train with, and the folder of the first weights, if there is one. */
async function chooseModel({ model, vocab }: FinetuneOptions): Promise<{
  config: BertConfig;
  tokenizer: BertTokenizer;
  folder: string | undefined;
}> {
  if (!isPreset(model)) {
    const { config, tokenizer, path } = await openModelFolder(model, vocab);
    return { config, tokenizer, folder: path };
  }
  if (vocab === undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: `the preset "${model}" starts from nothing, so it needs a vocabulary`,
      expected: "--vocab with a vocab.txt or a folder that has one",
      cure: "Make one with `cloze vocab`, or name a model folder instead of a preset.",
    });
  }
  const tokenizer = await loadTokenizer(vocab);
  return { config: presetConfig(model, tokenizer.vocabulary.size), tokenizer, folder: undefined };
}

function trainingOptions(options: FinetuneOptions): TrainingOptions {
  return {
    epochs: options.epochs ?? 3,
    batchSize: options.batchSize ?? 32,
    accumulate: options.accumulate ?? 1,
    learningRate: options.learningRate ?? 3e-5,
    warmupRatio: options.warmupRatio ?? 0.1,
    weightDecay: options.weightDecay ?? 0.01,
    clipNorm: options.clipNorm ?? 1,
    seed: options.seed ?? 42,
    ...(options.patience === undefined ? {} : { patience: options.patience }),
    ...(options.checkpointEvery === undefined ? {} : { checkpointEvery: options.checkpointEvery }),
  };
}

/** A hash of all tokens and labels, by which a resumed training knows its data again. */
function fingerprint(examples: readonly LabelledSequence[]): string {
  const hash = createHash("sha256");
  for (const { ids, typeIds, label } of examples) hash.update(ids).update(typeIds).update(Int32Array.of(label));
  return hash.digest("hex").slice(0, 16);
}
