import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { type BertConfig, bertConfigJson, parseBertConfig } from "../../bert/config.ts";
import { writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { readError } from "../../formats/file-errors.node.ts";
import { formatJson, parseJson } from "../../formats/json.ts";
import { readSafetensors, readSafetensorsHeader } from "../../formats/safetensors-file.node.ts";
import type { Parameters } from "../../graph/parameters.ts";
import { loadTokenizer, saveTokenizer } from "../../tokenizer/folder.node.ts";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { encodeParameters, type WeightType } from "../../train/weights.ts";
import { requireFinite } from "./finite-weights.ts";
import { describeWeight, NativeWeights, refuseNativeWeights } from "./native-weights.node.ts";

/** A model as it lies in a folder, in Hugging Face's layout; the weights are read on request. */
export interface ModelFolder {
  readonly path: string;
  readonly config: BertConfig;
  /** Label names in the order of their indices, where config.json has `id2label`. */
  readonly labels: readonly string[] | undefined;
  readonly tokenizer: BertTokenizer;
  /** What config.json keeps under `task_specific_params`: the settings of a task, by its name. */
  readonly taskSettings: Readonly<Record<string, unknown>>;
}

/**
 * Opens a model folder: config.json (or bert_config.json) and the tokenizer's files.
 *
 * @throws ClozeError FILE_MISSING, CONFIG_MALFORMED, VOCABULARY_MISMATCH, and the errors of `loadTokenizer`
 */
export async function openModelFolder(path: string, vocabulary: string = path): Promise<ModelFolder> {
  const { json, source } = await configOf(path);
  const config = parseBertConfig(json, source);
  const tokenizer = await loadTokenizer(vocabulary);
  requireVocabulary(tokenizer, config);
  const { task_specific_params: taskSettings } = TaskParams.parse(json);
  return { path, config, labels: labelNames(json, source), tokenizer, taskSettings };
}

const TaskParams = z.object({ task_specific_params: z.record(z.string(), z.unknown()).catch({}) });

/** What a folder's config.json says that its model is for. */
export interface Purpose {
  /** The Hugging Face class, such as `BertForMaskedLM`. */
  readonly architecture: string | undefined;
  /** What a classifier of sequences does. Where config.json does not say, one label is a number, as Hugging Face has it. */
  readonly problemType: string;
  /** Whether config.json does say so. */
  readonly isStated: boolean;
}

/** What cannot be understood says nothing here; whoever opens the folder complains of it. */
const PurposeFields = z
  .object({
    architectures: z.array(z.string()).optional().catch(undefined),
    problem_type: z.string().optional().catch(undefined),
    id2label: z.record(z.string(), z.unknown()).catch({}),
  })
  .catch({ id2label: {} });

/** Throws FILE_MISSING, CONFIG_MALFORMED. */
export async function purposeOf(path: string): Promise<Purpose> {
  const { architectures, problem_type, id2label } = PurposeFields.parse((await configOf(path)).json);
  const usual = Object.keys(id2label).length === 1 ? "regression" : "single_label_classification";
  return { architecture: architectures?.[0], problemType: problem_type ?? usual, isStated: problem_type !== undefined };
}

/** Whether a task is what a model is for. */
export function isFor(
  { architecture, problemType }: Purpose,
  task: { readonly architecture: string; readonly problemType?: string },
): boolean {
  return architecture === task.architecture && (task.problemType ?? problemType) === problemType;
}

/** The weights of a folder that a model wants, and how they fitted. */
export interface LoadedWeights {
  /** Weights of the model that the folder lacks; they keep their values. */
  readonly missing: readonly string[];
  /** Weights of the folder that the model has no use for. */
  readonly unused: readonly string[];
}

/**
 * Reads model.safetensors into a model's parameters. Weights whose names start with one of `optional` may be absent;
 * those that start with one of `skip` are left unread, which is how a head is made anew. Other names are understood:
 * `gamma` and `beta` of LayerNorm, encoders saved alone, without the prefix `bert.`, and the masked-LM bias as its
 * decoder's.
 *
 * @throws ClozeError FILE_MISSING, PARAMETER_SHAPE, MODEL_INCOMPLETE, WEIGHTS_NOT_FINITE, WEIGHTS_PACKED and those of
 *   `readSafetensors`
 */
export async function loadWeights(
  folder: string,
  parameters: Parameters,
  { optional = [], skip = [] }: { readonly optional?: readonly string[]; readonly skip?: readonly string[] } = {},
): Promise<LoadedWeights> {
  await refuseNativeWeights(folder);
  const found = new Set<string>();
  const unused: string[] = [];
  const path = join(folder, WEIGHTS);
  await readSafetensors(path, {
    into: (stored, shape) => {
      const name = currentName(stored, parameters);
      const isCopy = name !== undefined && name !== stored && found.has(name);
      if (name === undefined || isCopy || startsWithOne(name, skip)) {
        unused.push(stored);
        return undefined;
      }
      const { spec, data } = parameters.get(name);
      if (shape.join() !== spec.shape.join()) {
        throw new ClozeError("PARAMETER_SHAPE", {
          problem: `${path}: ${stored} does not fit the model that config.json describes`,
          expected: `[${spec.shape.join(", ")}]`,
          received: `[${shape.join(", ")}]`,
        });
      }
      found.add(name);
      return data;
    },
  });
  for (const name of found) requireFinite(path, parameters.get(name));
  const missing = parameters.views.map(({ spec }) => spec.name).filter((name) => !found.has(name));
  const lost = missing.filter((name) => !startsWithOne(name, optional));
  if (lost.length === 0) return { missing, unused };
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: `${path} lacks ${lost.length} of the model's ${parameters.views.length} weights`,
    expected: lost.slice(0, 3).join(", ") + (lost.length > 3 ? ", ..." : ""),
    received: unused.length > 0 ? `unknown names such as ${unused.slice(0, 3).join(", ")}` : "nothing in their place",
    cure: "Check that config.json belongs to these weights and that the task is the one it was trained for.",
  });
}

const WEIGHTS = "model.safetensors";

/** What a folder's weights are, without reading the numbers. Throws the errors of `readSafetensorsHeader` and `NativeWeights`. */
export async function storedWeights(folder: string): Promise<StoredWeight[]> {
  const native = await NativeWeights.open(folder);
  if (native) return Array.from(native.weights, ([name, weight]) => ({ name, ...describeWeight(weight) }));
  const { entries } = await readSafetensorsHeader(join(folder, WEIGHTS));
  return Array.from(entries, ([name, { dtype, shape, begin, end }]) => ({ name, dtype, shape, bytes: end - begin }));
}

export interface StoredWeight {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface ModelDescription {
  readonly config: BertConfig;
  /** The Hugging Face class, such as `BertForSequenceClassification`. */
  readonly architecture: string;
  readonly labels?: readonly string[];
  readonly problemType?: string;
  /** Settings of the task, by its name. */
  readonly taskSettings?: Readonly<Record<string, unknown>>;
  readonly tokenizer: BertTokenizer;
  readonly parameters: Parameters;
  /** Tokens that texts were cut to in training, which prediction then does too. */
  readonly maxLength: number;
  /** Default `float32`. */
  readonly weights?: WeightType;
  /** What config.json keeps of the pre-training. */
  readonly pretraining?: Readonly<Record<string, number | string>>;
}

/** Writes config, weights and tokenizer; each file whole or not at all. Throws DISK_FULL and FILE_NOT_WRITABLE. */
export async function saveModelFolder(folder: string, model: ModelDescription): Promise<void> {
  const { config, architecture, labels, tokenizer, parameters, maxLength, weights = "float32", pretraining } = model;
  const labelFields = labels && {
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
  const ids = { pad_token_id: tokenizer.specialIds.pad };
  const json = {
    architectures: [architecture],
    ...bertConfigJson(config),
    ...ids,
    torch_dtype: weights,
    ...(pretraining && { pretraining }),
    ...labelFields,
    ...(model.problemType && { problem_type: model.problemType }),
    ...(model.taskSettings && { task_specific_params: model.taskSettings }),
  };
  await writeFileAtomic(join(folder, WEIGHTS), encodeParameters(parameters, weights));
  await saveTokenizer(new BertTokenizer({ ...tokenizer.spec, maxLength }), folder);
  await writeFileAtomic(join(folder, "config.json"), formatJson(json));
}

function startsWithOne(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

/** transformers knows this bias by two names, of which a file may have either, or both. */
const MASKED_LM_BIAS = /^cls\.predictions\.decoder\.bias$/;

/** Other names that checkpoints have for a weight, as the model's own. */
function currentName(stored: string, parameters: Parameters): string | undefined {
  const renamed = stored
    .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
    .replace(/LayerNorm\.beta$/, "LayerNorm.bias")
    .replace(MASKED_LM_BIAS, "cls.predictions.bias");
  return [renamed, `bert.${renamed}`].find((name) => parameters.has(name));
}

const LabelNames = z.object({ id2label: z.record(z.string(), z.string()).optional() });

function labelNames(json: unknown, source: string): readonly string[] | undefined {
  const result = LabelNames.safeParse(json);
  const names = result.success ? result.data.id2label : undefined;
  if (result.success && names === undefined) return undefined;
  const labels = Object.keys(names ?? {}).map((_, i) => names?.[i]);
  if (labels.length > 0 && labels.every((label) => label !== undefined)) return labels;
  throw new ClozeError("CONFIG_MALFORMED", {
    problem: `${source} has a broken id2label`,
    expected: "a name for each index from 0 on",
    received: JSON.stringify(names),
  });
}

/** The parsed config.json of a folder, and where it lies. */
async function configOf(folder: string): Promise<{ json: unknown; source: string }> {
  const name = (await filesOf(folder)).find((file) => file === "config.json" || file === "bert_config.json");
  if (name === undefined) {
    throw new ClozeError("FILE_MISSING", {
      problem: `${folder} is no model folder`,
      expected: "a config.json, model.safetensors and a vocabulary",
      cure: "Name a folder that `cloze finetune` wrote or that a BERT model was downloaded into.",
    });
  }
  const source = join(folder, name);
  return { json: await readConfig(source), source };
}

async function readConfig(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw readError(path, error);
  });
  return parseJson(text, (received, cause) => {
    throw new ClozeError("CONFIG_MALFORMED", { problem: `${path} is no JSON`, received, cause });
  });
}

/** Reads a config.json alone. Throws FILE_MISSING, CONFIG_MALFORMED. */
export async function openConfig(path: string): Promise<BertConfig> {
  return parseBertConfig(await readConfig(path), path);
}

/** A folder's config.json as it is parsed. Throws FILE_MISSING, CONFIG_MALFORMED. */
export async function configJson(folder: string): Promise<unknown> {
  return (await configOf(folder)).json;
}

/** Throws VOCABULARY_MISMATCH where a vocabulary has not the size that a model was made for. */
export function requireVocabulary({ vocabulary }: BertTokenizer, { vocabSize }: BertConfig): void {
  if (vocabulary.size === vocabSize) return;
  throw new ClozeError("VOCABULARY_MISMATCH", {
    problem: "the vocabulary is not the model's",
    expected: `${vocabSize} tokens`,
    received: `${vocabulary.size}`,
    cure: "Use the vocabulary that the model was trained with.",
  });
}

async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error) => {
    throw readError(folder, error);
  });
  return names.sort().reverse();
}
