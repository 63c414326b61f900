import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { BertConfig } from "../../bert/config.ts";
import { recoverAtomicWrites, writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { confusionMatrixSvg } from "../../formats/confusion-matrix-svg.ts";
import { formatJson } from "../../formats/json.ts";
import type { Parameters } from "../../graph/parameters.ts";
import type { EpochState, TrainingOptions } from "../../train/train.ts";
import type { Task, TaskContext } from "../definitions/task.ts";
import { saveModelFolder } from "../folder/model-folder.node.ts";
import { CURVES, drawCurves } from "../folder/training-curves.node.ts";
import { modelCard } from "./model-card.ts";

/** What a training has come to, beside the weights themselves. */
interface Trained<S extends z.ZodObject> {
  /** The name of the model that it began with. */
  readonly source: string;
  readonly config: BertConfig;
  readonly context: TaskContext<z.infer<S>>;
  readonly parameters: Parameters;
  readonly training: TrainingOptions;
  readonly state: EpochState;
}

/** Writes the model folder of a training that has ended: weights, tokenizer, figures, pictures and card. */
export async function saveResult<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  output: string,
  task: Task<I, G, A, R, S>,
  { source, config, context, parameters, training, state }: Trained<S>,
): Promise<void> {
  const { tokenizer, labels, maxLength } = context;
  const metrics = state.best?.evaluation.metrics;
  const settings = (metrics && task.conclude?.(context.settings, metrics)) ?? context.settings;
  await recoverAtomicWrites(output);
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
  await writeFileAtomic(join(output, METRICS), formatJson(figures));
  const pictures = await drawPictures(output, labels, metrics);
  const card = modelCard({
    task,
    usage: task.usage(settings),
    config,
    labels,
    parameters: parameters.count,
    training,
    maxLength,
    settings,
    source,
    metrics,
    pictures,
  });
  await writeFileAtomic(join(output, CARD), card);
}

/** Draws the course of the loss, and what was taken for what on the dev file; returns the pictures by what they show. */
async function drawPictures(
  output: string,
  labels: readonly string[],
  metrics: Readonly<Record<string, unknown>> | undefined,
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
