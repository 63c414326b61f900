import { writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { Random } from "../src/base/random.ts";
import { type BertConfig, parseBertConfig } from "../src/bert/config.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { maskedLm } from "../src/heads/masked-lm.ts";
import { pretraining } from "../src/heads/pretraining.ts";
import { taskParameters } from "../src/tasks/definitions/task-model.ts";
import { textClassification } from "../src/tasks/definitions/text-classification.ts";
import { saveModelFolder } from "../src/tasks/folder/model-folder.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** The special tokens, two words and every letter: 59 tokens, with which any lower-case text can be written. */
export const VOCABULARY: readonly string[] = [
  ..."[PAD] [UNK] [CLS] [SEP] [MASK] good bad".split(" "),
  ...ALPHABET,
  ...Array.from(ALPHABET, (letter) => `##${letter}`),
];

export const LABELS: readonly string[] = ["negative", "positive"];

/** One layer with dropout, so small that an update takes a millisecond. */
export function tinyConfig(changes: Readonly<Record<string, unknown>> = {}): BertConfig {
  const file = {
    vocab_size: VOCABULARY.length,
    hidden_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 128,
    ...changes,
  };
  return parseBertConfig(file, "the tiny model");
}

/** Names and shapes of the weights of a text classifier. */
export function classifierParameters(config: BertConfig, labels: readonly string[] = LABELS) {
  return taskParameters(textClassification, config, { labels, settings: textClassification.settings.parse({}) });
}

export interface TinyModel {
  /** Fields of config.json to differ. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly labels?: readonly string[];
  readonly seed?: number;
  /** Deviation of the weights; BERT's own of 0.02 makes all predictions alike. */
  readonly range?: number;
  readonly change?: (parameters: Parameters) => void;
}

/** Writes a model folder with random weights, as `cloze finetune` does with trained ones. */
export async function writeTinyModel(folder: string, { labels = LABELS, ...options }: TinyModel = {}): Promise<string> {
  const config = tinyConfig(options.config);
  const parameters = new Parameters(classifierParameters(config, labels));
  initialise(parameters, options.range ?? 0.3, options.seed ?? 1);
  options.change?.(parameters);
  await mkdir(folder, { recursive: true });
  await saveModelFolder(folder, {
    architecture: "BertForSequenceClassification",
    config,
    labels,
    problemType: "single_label_classification",
    tokenizer: BertTokenizer.fromVocabulary(VOCABULARY),
    parameters,
    maxLength: config.maxPositions,
  });
  return folder;
}

export interface TinyPretrainedModel extends Omit<TinyModel, "labels"> {
  /** Trained without pairs: without pooler and head for the next sentence. Default false. */
  readonly withoutPairs?: boolean;
}

/** Writes a folder with a pre-trained model of random weights, as `cloze pretrain` does with trained ones. */
export async function writeTinyPretrainedModel(
  folder: string,
  { withoutPairs = false, ...options }: TinyPretrainedModel = {},
): Promise<string> {
  const config = tinyConfig(options.config);
  const graph = withoutPairs
    ? makeGraph({ logits: maskedLm(config).logits })
    : makeGraph({ loss: pretraining(config).loss });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, options.range ?? 0.3, options.seed ?? 1);
  options.change?.(parameters);
  await mkdir(folder, { recursive: true });
  await saveModelFolder(folder, {
    architecture: withoutPairs ? "BertForMaskedLM" : "BertForPreTraining",
    config,
    tokenizer: BertTokenizer.fromVocabulary(VOCABULARY),
    parameters,
    maxLength: config.maxPositions,
  });
  return folder;
}

export interface Example {
  readonly text: string;
  readonly label: string;
}

/** Texts of different lengths that hold "good" or "bad", which is their label. */
export function examples(count: number, seed = 1): Example[] {
  const random = Random.of(seed, "examples");
  const word = () => Array.from({ length: 1 + random.below(3) }, () => ALPHABET[random.below(26)]).join("");
  return Array.from({ length: count }, () => {
    const positive = random.below(2) === 1;
    const words = Array.from({ length: 1 + random.below(5) }, word);
    words.splice(random.below(words.length + 1), 0, positive ? "good" : "bad");
    return { text: words.join(" "), label: positive ? "positive" : "negative" };
  });
}

/** Writes objects as JSON Lines. */
export function writeRows(path: string, rows: readonly object[]): string {
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}
