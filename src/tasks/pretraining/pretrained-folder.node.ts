import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { MASK_UNITS } from "../../data/masking.ts";
import { PAIRINGS } from "../../data/sentence-pairs.ts";
import { recoverAtomicWrites, writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { systemCode, writing } from "../../formats/file-errors.node.ts";
import { formatJson } from "../../formats/json.ts";
import type { Parameters } from "../../graph/parameters.ts";
import type { WeightType } from "../../train/weights.ts";
import { configJson, saveModelFolder } from "../folder/model-folder.node.ts";
import type { StartingPoint } from "../folder/starting-point.node.ts";
import { CURVES, drawCurves } from "../folder/training-curves.node.ts";
import { type PretrainingCard, pretrainingCard } from "./pretraining-card.ts";
import { longestOf, type PretrainingSettings } from "./pretraining-settings.ts";

const METRICS = "metrics.json";
const CARD = "README.md";

/** How a model was asked while it was pre-trained: so it is to be measured. */
export type Recipe = z.infer<typeof RecipeSchema>;
const RecipeSchema = z.object({
  pairs: z.enum(PAIRINGS),
  mask: z.enum(MASK_UNITS),
  mask_rate: z.number(),
  max_length: z.int(),
});

/** The recipe in a folder's config.json; undefined for models that others have trained. Throws as `configJson` does. */
export async function readRecipe(folder: string): Promise<Recipe | undefined> {
  return z.object({ pretraining: RecipeSchema }).safeParse(await configJson(folder)).data?.pretraining;
}

export interface Pretrained {
  readonly start: StartingPoint;
  /** What `--model` named. */
  readonly model: string;
  readonly settings: PretrainingSettings;
  readonly corpus: PretrainingCard["corpus"];
  readonly parameters: Parameters;
  readonly weights: WeightType | undefined;
  readonly result: PretrainingCard["result"];
}

/** Writes the model folder: weights, tokenizer, figures, curves and the model card; each file whole or not at all. */
export async function savePretrained(output: string, pretrained: Pretrained): Promise<void> {
  const { start, model, settings, corpus, parameters, weights, result } = pretrained;
  const { config, tokenizer } = start;
  await recoverAtomicWrites(output);
  const { pairs, mask, maskRate: mask_rate, maxLength: max_length } = settings;
  await saveModelFolder(output, {
    architecture: settings.objective === "masked-lm" ? "BertForMaskedLM" : "BertForPreTraining",
    config,
    tokenizer,
    parameters,
    maxLength: trainedLength(start, longestOf(settings, result.steps)),
    weights,
    pretraining: { pairs, mask, mask_rate, max_length } satisfies Recipe,
  });
  await writeMetrics(join(output, METRICS), result.metrics);
  const series = { "train/maskedLoss": "training", "heldOut/maskedLoss": "held out" };
  await writeFileAtomic(join(output, CURVES), await drawCurves(output, { title: "Masked-LM loss", series }));
  const card = { config, settings, corpus, result, source: basename(model), parameters: parameters.count };
  await writeFileAtomic(join(output, CARD), pretrainingCard(card, CURVES));
}

/** Tokens of the longest sequences that the positions have learnt from, be it in a training before. */
function trainedLength({ folder }: StartingPoint, longest: number): number {
  const before = folder?.tokenizer.spec.maxLength ?? 0;
  return Number.isFinite(before) ? Math.max(before, longest) : longest;
}

async function writeMetrics(path: string, metrics: PretrainingCard["result"]["metrics"]): Promise<void> {
  if (metrics === undefined)
    await writing(path, rm(path, { force: true })); // those of another model
  else await writeFileAtomic(path, formatJson(metrics));
}

/** The figures of a training that has ended, if it was evaluated. Throws CHECKPOINT_MALFORMED. */
export async function readMetrics(output: string): Promise<Record<string, unknown> | undefined> {
  const path = join(output, METRICS);
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new ClozeError("CHECKPOINT_MALFORMED", {
      problem: `${path} holds no figures`,
      received: String(cause),
      cause,
    });
  }
}
