import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClozeError } from "../base/errors.ts";
import { countDocuments, countSentences, type Documents } from "../data/documents.ts";
import { readError, systemCode } from "../formats/file-errors.node.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { type Manifest, parseManifest, partOfFile } from "./manifest.ts";
import { decodeShard, malformedShard } from "./shards.ts";
import { vocabularyHash } from "./vocabulary-hash.node.ts";

/** A file of tokenised documents, with what its manifest says about it. */
export interface CorpusShard {
  readonly path: string;
  readonly tokens: number;
  readonly documents: number;
  readonly sentences: number;
  readonly sha256: string;
  readonly vocabularySize: number;
}

/** A prepared corpus: its shards in a fixed order, and counts over all of them. */
export interface Corpus {
  readonly shards: readonly CorpusShard[];
  readonly tokens: number;
  readonly documents: number;
  readonly sentences: number;
  /** A sha256 that is the same wherever the same shards in the same order are opened, for checks on resuming. */
  readonly hash: string;
}

/**
 * Opens what `cloze prepare` made: one corpus or several, each of whose parts may be in any of the folders. Reads the
 * manifests alone.
 *
 * @param tokenizer must be the one that the corpus was prepared with
 * @throws ClozeError FILE_MISSING; CORPUS_INCOMPLETE where a part is missing or nothing is there; CORPUS_MALFORMED for
 *   a broken manifest or a part that is there twice; SHARD_MISSING; VOCABULARY_MISMATCH; TEXT_EMPTY for a corpus without
 *   a token
 */
export async function openCorpus(folders: readonly string[], tokenizer: BertTokenizer): Promise<Corpus> {
  const placed: PlacedManifest[] = [];
  for (const folder of folders) placed.push(...(await readManifests(folder)));
  for (const found of placed) checkVocabulary(found, tokenizer);
  const ordered = corporaOf(placed).flatMap(inOrder);
  const shards = ordered.flatMap(({ folder, manifest }) =>
    manifest.shards.map(({ file, ...shard }) => {
      return { ...shard, path: join(folder, file), vocabularySize: manifest.vocabulary.size };
    }),
  );
  if (shards.length === 0) {
    throw new ClozeError("TEXT_EMPTY", {
      problem: `the corpus in ${folders.join(", ")} has no tokens`,
      cure: "Prepare it from texts that hold some.",
    });
  }
  return {
    shards,
    tokens: total(shards.map(({ tokens }) => tokens)),
    documents: total(shards.map(({ documents }) => documents)),
    sentences: total(shards.map(({ sentences }) => sentences)),
    hash: corpusHash(ordered.map(({ manifest }) => manifest)),
  };
}

/**
 * Reads a shard and checks it against its manifest.
 *
 * @throws ClozeError SHARD_MISSING; SHARD_MALFORMED
 */
export async function readShard(shard: CorpusShard): Promise<Documents> {
  const { path, sha256 } = shard;
  const bytes = await readFile(path).catch((error) => {
    throw systemCode(error) === "ENOENT" ? missingShard(path) : readError(path, error);
  });
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw malformedShard(path, `the sha256 ${sha256}`, `${found}, of ${bytes.length} bytes`);
  const documents = decodeShard(bytes, shard.vocabularySize, path);
  const asListed = [shard.documents, shard.sentences, shard.tokens].join();
  const asRead = [countDocuments(documents), countSentences(documents), documents.ids.length].join();
  if (asRead !== asListed) throw malformedShard(path, `${asListed} documents, sentences and tokens`, asRead);
  return documents;
}

interface PlacedManifest {
  readonly folder: string;
  readonly file: string;
  readonly manifest: Manifest;
}

async function readManifests(folder: string): Promise<PlacedManifest[]> {
  const names = await readdir(folder).catch((error) => {
    throw readError(folder, error);
  });
  const files = names.filter((name) => partOfFile(name)?.isManifest).sort();
  if (files.length === 0) {
    throw new ClozeError("CORPUS_INCOMPLETE", {
      problem: `${folder} holds no prepared corpus`,
      expected: "a manifest, which is written last",
      received: names.length === 0 ? "an empty folder" : names.slice(0, 3).join(", "),
      cure: "Make it with: cloze prepare.",
    });
  }
  return Promise.all(
    files.map(async (name) => {
      const file = join(folder, name);
      const text = await readFile(file, "utf8").catch((error) => {
        throw readError(file, error);
      });
      const manifest = parseManifest(text, file);
      const missing = manifest.shards.find((shard) => !names.includes(shard.file));
      if (missing !== undefined) throw missingShard(join(folder, missing.file)); // now, not in the midst of a training
      return { folder, file, manifest };
    }),
  );
}

/** Manifests of the same sources, prepared in the same way, are parts of one corpus. */
function corporaOf(placed: readonly PlacedManifest[]): PlacedManifest[][] {
  const corpora = new Map<string, PlacedManifest[]>();
  for (const found of placed) {
    const { part, sources, lines, locale, textColumn } = found.manifest;
    const key = JSON.stringify([part.of, sources.map(({ sha256 }) => sha256), lines, locale, textColumn]);
    corpora.set(key, [...(corpora.get(key) ?? []), found]);
  }
  return [...corpora.values()];
}

/** The manifests of one corpus by their parts, each of which has to be there once. */
function inOrder(corpus: readonly PlacedManifest[]): PlacedManifest[] {
  const { of } = corpus[0].manifest.part;
  const parts = new Map<number, PlacedManifest>();
  for (const found of corpus) {
    const { index } = found.manifest.part;
    const other = parts.get(index);
    if (other !== undefined) {
      throw new ClozeError("CORPUS_MALFORMED", {
        problem: `part ${index} of ${of} of a corpus is there twice`,
        received: `${other.file} and ${found.file}`,
        cure: "Name each folder once, and take away one of the two.",
      });
    }
    parts.set(index, found);
  }
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !parts.has(index));
  if (missing.length > 0) {
    throw new ClozeError("CORPUS_INCOMPLETE", {
      problem: `the corpus in ${corpus[0].folder} lacks ${missing.length} of its ${of} parts`,
      expected: `parts 1 to ${of}, of the same sources and options`,
      received: `no part ${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ", ..." : ""}`,
      cure: `Prepare what is missing, for example with: --shard ${missing[0]}/${of}.`,
    });
  }
  return [...parts.values()].sort((a, b) => a.manifest.part.index - b.manifest.part.index);
}

function checkVocabulary({ file, manifest }: PlacedManifest, tokenizer: BertTokenizer): void {
  const { size, sha256 } = manifest.vocabulary;
  const own = { size: tokenizer.vocabulary.size, sha256: vocabularyHash(tokenizer) };
  if (sha256 === own.sha256) return;
  const sameSize = size === own.size ? ", but others, or another treatment of case and accents" : "";
  throw new ClozeError("VOCABULARY_MISMATCH", {
    problem: `${file}: the corpus was prepared with another vocabulary`,
    expected: `${own.size} tokens`,
    received: `${size}${sameSize}`,
    cure: "Prepare the corpus with the vocabulary that the model is to have.",
  });
}

/** Over what the shards hold and in which order they come; where they lie and how they were made does not matter. */
function corpusHash(manifests: readonly Manifest[]): string {
  const content = manifests.map(({ vocabulary, shards }) => [vocabulary.sha256, shards.map(({ sha256 }) => sha256)]);
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

function missingShard(path: string): ClozeError {
  return new ClozeError("SHARD_MISSING", {
    problem: `the shard ${path} does not exist`,
    cure: "Copy it there, or prepare this part of the corpus anew with --overwrite.",
  });
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
