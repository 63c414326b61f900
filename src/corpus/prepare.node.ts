import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClozeError } from "../base/errors.ts";
import { requireKnown } from "../base/require-known.ts";
import { countDocuments, countSentences, type Documents } from "../data/documents.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { batchTexts, workInOrder } from "./batches.ts";
import type { TokenizedTexts } from "./document-tokenizer.ts";
import {
  formatManifest,
  type Manifest,
  type ManifestShard,
  makeManifest,
  manifestName,
  type Part,
  shardName,
} from "./manifest.ts";
import { claimPart, removePartFiles } from "./part-files.node.ts";
import type { SentenceOptions } from "./sentences.ts";
import { cutShards, encodeShard } from "./shards.ts";
import { SourceReading } from "./source-reading.node.ts";
import type { TextOptions } from "./source-texts.node.ts";
import { findSources, type Source } from "./sources.node.ts";
import { startTokenizers } from "./tokenizer-threads.node.ts";
import { vocabularyHash } from "./vocabulary-hash.node.ts";

export interface PrepareOptions extends Partial<SentenceOptions & TextOptions> {
  /** Files, folders and patterns, see `findSources`. */
  readonly sources: readonly string[];
  readonly tokenizer: BertTokenizer;
  /** The folder for shards and manifest, which other parts of the corpus may share. */
  readonly output: string;
  /** Which part of the corpus to make, from 1: every `of`-th document. Default: all of it, 1 of 1. */
  readonly part?: Part;
  /** Threads that tokenise; the result does not depend on them. Default: all processors, as far as they are of use. */
  readonly threads?: number;
  /** Replace this part, once it is made anew. */
  readonly overwrite?: boolean;
  /** Tokens of a shard, about. Default 4 M. */
  readonly shardTokens?: number;
  readonly onProgress?: (progress: PrepareProgress) => void;
  /** Stops with the reason of the signal, and leaves nothing new behind. */
  readonly signal?: AbortSignal;
}

export interface PrepareProgress {
  /** Bytes of the sources, as they are stored, that have been read, and all of them. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Tokens made. */
  readonly tokens: number;
}

/** UTF-16 units that a thread gets at once: some hundredths of a second of work. */
const BATCH_CHARACTERS = 1 << 18;
/** Batches under way for each thread: enough that none waits while a shard is written. */
const BATCHES_PER_THREAD = 4;

/**
 * Makes a prepared corpus of texts, or one part of it: reads the sources, splits their documents into sentences and
 * these into tokens on several threads, and writes shards, then the manifest that names them. Until that is written,
 * what was there before stands; after a failure nothing new is left behind.
 *
 * @returns the manifest
 * @throws ClozeError OPTION_INVALID; OUTPUT_NOT_EMPTY; TEXT_EMPTY where there is no token in the whole corpus;
 *   DISK_FULL; FILE_NOT_WRITABLE; what `findSources` and `readSourceTexts` throw
 */
export async function prepareCorpus(options: PrepareOptions): Promise<Manifest> {
  requireKnown(options, {
    sources: true,
    tokenizer: true,
    output: true,
    part: true,
    threads: true,
    overwrite: true,
    shardTokens: true,
    lines: true,
    locale: true,
    textColumn: true,
    onProgress: true,
    signal: true,
  });
  const { output, part = { index: 1, of: 1 }, overwrite = false } = options;
  if (!(Number.isInteger(part.index) && Number.isInteger(part.of) && part.index >= 1 && part.index <= part.of)) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "there is no such part of a corpus",
      expected: "a number from 1 to the number of parts",
      received: `${part.index} of ${part.of}`,
    });
  }
  const sources = await findSources(options.sources);
  const before = await claimPart(output, part, { overwrite });
  const file = manifestName(part);
  const path = join(output, file);
  let manifest: Manifest | undefined;
  try {
    manifest = await writeShards(sources, { ...options, part });
    await writeFileAtomic(path, formatManifest(manifest));
  } catch (error) {
    // A manifest that took its place, and could not be flushed, names the new shards.
    const stands =
      manifest !== undefined && (await readFile(path, "utf8").catch(() => "")) === formatManifest(manifest);
    if (!stands) await removePartFiles(output, part, new Set(before)).catch(() => {}); // the first error is the one to report
    throw error;
  }
  await removePartFiles(output, part, new Set([file, ...manifest.shards.map((shard) => shard.file)]));
  return manifest;
}

async function writeShards(
  sources: readonly Source[],
  options: PrepareOptions & { readonly part: Part },
): Promise<Manifest> {
  const { tokenizer, output, part, onProgress, signal, threads, shardTokens } = options;
  const { lines = "paragraph", locale = "en", textColumn = "text" } = options;
  const reading = new SourceReading(sources, { lines, textColumn });
  const counts = { documents: 0, sentences: 0, tokens: 0, unknownTokens: 0, characters: 0, emptyDocuments: 0 };
  const shards: ManifestShard[] = [];
  const tokenizers = startTokenizers(tokenizer, { lines, locale }, threads);
  try {
    const batches = batchTexts(every(part, reading.texts(), signal), BATCH_CHARACTERS);
    const tokenized = workInOrder(batches, {
      room: tokenizers.count * BATCHES_PER_THREAD * BATCH_CHARACTERS,
      weigh: (texts) => texts.reduce((sum, text) => sum + text.length, 0),
      work: (texts) => tokenizers.tokenize(texts),
    });
    const documents = account(tokenized, counts, () => {
      onProgress?.({ bytes: reading.bytes, totalBytes: reading.totalBytes, tokens: counts.tokens });
    });
    for await (const shard of cutShards(documents, shardTokens)) {
      shards.push(await writeShard(output, part, shards.length + 1, shard));
    }
  } finally {
    await tokenizers.end();
  }
  if (shards.length === 0 && part.of === 1) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: "there is no token in any of the texts",
      received: `${counts.emptyDocuments} empty texts`,
      cure: "Check that the sources are the right ones, and --text-column.",
    });
  }
  const vocabulary = { size: tokenizer.vocabulary.size, sha256: vocabularyHash(tokenizer) };
  return makeManifest({ part, sources: reading.read, vocabulary, lines, locale, textColumn, counts, shards });
}

/** Every `of`-th text, from the one numbered `index` on: machines that read the same texts share them out so. */
async function* every(
  { index, of }: Part,
  texts: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  let number = 0;
  for await (const text of texts) {
    signal?.throwIfAborted();
    if (number++ % of === index - 1) yield text;
  }
}

/** The documents of tokenised texts, whose counts are added up; `afterEach` is called when they have been. */
async function* account(
  tokenized: AsyncIterable<TokenizedTexts>,
  counts: Manifest["counts"],
  afterEach: () => void,
): AsyncGenerator<Documents> {
  for await (const { documents, ...of } of tokenized) {
    counts.documents += countDocuments(documents);
    counts.sentences += countSentences(documents);
    counts.tokens += documents.ids.length;
    counts.unknownTokens += of.unknownTokens;
    counts.characters += of.characters;
    counts.emptyDocuments += of.emptyDocuments;
    afterEach();
    yield documents;
  }
}

async function writeShard(folder: string, part: Part, number: number, documents: Documents): Promise<ManifestShard> {
  const chunks = encodeShard(documents);
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  const sha256 = hash.digest("hex");
  const file = shardName(part, number, sha256);
  await writeFileAtomic(join(folder, file), chunks);
  const counts = { documents: countDocuments(documents), sentences: countSentences(documents) };
  return { file, sha256, tokens: documents.ids.length, ...counts };
}
