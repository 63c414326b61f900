import { createHash } from "node:crypto";
import { ClozeError } from "../../base/errors.ts";
import { type BertConfig, bertConfigJson, isPreset, presetConfig } from "../../bert/config.ts";
import { loadTokenizer } from "../../tokenizer/folder.node.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { type ModelFolder, openConfig, openModelFolder, requireVocabulary } from "./model-folder.node.ts";

/** What a training starts from. */
export interface StartingPoint {
  readonly config: BertConfig;
  readonly tokenizer: BertTokenizer;
  /** Where the first weights are; undefined for random ones. */
  readonly folder: ModelFolder | undefined;
}

/**
 * What `--model` and `--vocab` name: the folder of a model, or a preset or a config.json, which start from random weights
 * and need a vocabulary. Throws OPTION_INVALID and the errors of `openModelFolder` and `loadTokenizer`.
 */
export async function openStartingPoint(model: string, vocab: string | undefined): Promise<StartingPoint> {
  if (isPreset(model)) {
    const tokenizer = await firstTokenizer(`the preset "${model}"`, vocab);
    return { config: presetConfig(model, tokenizer.vocabulary.size), tokenizer, folder: undefined };
  }
  if (model.endsWith(".json")) {
    const config = await openConfig(model);
    const tokenizer = await firstTokenizer(model, vocab);
    requireVocabulary(tokenizer, config);
    return { config, tokenizer, folder: undefined };
  }
  const folder = await openModelFolder(model, vocab);
  return { config: folder.config, tokenizer: folder.tokenizer, folder };
}

/** A hash of all that a config.json says of a model, by which a resumed training knows it again. */
export function architectureOf({ config }: StartingPoint): string {
  return createHash("sha256")
    .update(JSON.stringify(bertConfigJson(config)))
    .digest("hex")
    .slice(0, 16);
}

/** Throws OPTION_INVALID where sequences are to be longer than the model takes. */
export function requireLength(maxLength: number, { maxPositions }: BertConfig): void {
  if (maxLength <= maxPositions) return;
  throw new ClozeError("OPTION_INVALID", {
    problem: "--max-length is more than the model takes",
    expected: `at most ${maxPositions}`,
    received: String(maxLength),
  });
}

async function firstTokenizer(model: string, vocab: string | undefined): Promise<BertTokenizer> {
  if (vocab !== undefined) return loadTokenizer(vocab);
  throw new ClozeError("OPTION_INVALID", {
    problem: `${model} starts from nothing, so it needs a vocabulary`,
    expected: "--vocab with a vocab.txt or a folder that has one",
    cure: "Make one with `cloze vocab`, or name a model folder instead.",
  });
}
