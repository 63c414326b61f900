import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { readError, systemCode, writeError } from "../formats/file-errors.node.ts";
import { openText } from "../formats/text.node.ts";
import type { TokenizerOptions } from "./spec.ts";
import { BertTokenizer } from "./tokenizer.ts";
import { formatTokenizerFiles, TOKENIZER_FILES } from "./tokenizer-files.ts";

/**
 * Loads a tokenizer from a model's folder, or from one file: a tokenizer.json, or a vocab.txt of whatever name. A folder's
 * tokenizer_config.json tells whether its vocab.txt is cased; without one it is taken to be uncased. `options` outweigh
 * what the files say.
 *
 * @throws ClozeError FILE_MISSING, INVALID_UTF8, and what `BertTokenizer.fromFiles` throws
 */
export async function loadTokenizer(path: string, options?: TokenizerOptions): Promise<BertTokenizer> {
  const names = await readdir(path).catch((error) => {
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw readError(path, error);
  });
  if (names === undefined) {
    const name = path.endsWith(".json") ? "tokenizer.json" : "vocab.txt";
    return BertTokenizer.fromFiles({ [name]: await readText(path) }, options);
  }
  const present = TOKENIZER_FILES.filter((name) => names.includes(name));
  const wanted = present.includes("tokenizer.json") ? present.filter((name) => name !== "vocab.txt") : present;
  const texts = wanted.map(async (name) => [name, await readText(join(path, name))] as const);
  return BertTokenizer.fromFiles(Object.fromEntries(await Promise.all(texts)), options);
}

/**
 * Writes vocab.txt, tokenizer.json and tokenizer_config.json into a folder, which is made if need be.
 *
 * @throws ClozeError DISK_FULL, FILE_NOT_WRITABLE, VOCABULARY_MALFORMED
 */
export async function saveTokenizer(tokenizer: BertTokenizer, folder: string): Promise<void> {
  const files = formatTokenizerFiles(tokenizer.spec);
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(folder, error);
  });
  for (const name of TOKENIZER_FILES) await writeFileAtomic(join(folder, name), files[name]);
}

async function readText(path: string): Promise<string> {
  let text = "";
  for await (const piece of openText(path)) text += piece;
  return text;
}
