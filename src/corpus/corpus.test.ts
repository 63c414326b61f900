import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../../test/expect-error.ts";
import { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { SPECIAL_TOKENS } from "../tokenizer/train-vocabulary.ts";
import { openCorpus, readShard } from "./corpus.node.ts";
import { formatManifest, type Manifest, parseManifest } from "./manifest.ts";
import { prepareCorpus } from "./prepare.node.ts";

const tokens = [...SPECIAL_TOKENS, "a", "b", "c", "."];
const tokenizer = BertTokenizer.fromVocabulary(tokens);

let folder: string;
/** A corpus in three parts, and another one. */
let parts: string;
let other: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-corpus-"));
  parts = join(folder, "parts");
  other = join(folder, "other");
  const source = join(folder, "a.txt");
  writeFileSync(source, "a b .\n\nb .\nc .\n\nc .\n\na .\n\nb b .\n\nc c c\n");
  for (const index of [1, 2, 3]) {
    await prepareCorpus({ sources: [source], tokenizer, output: parts, part: { index, of: 3 }, threads: 1 });
  }
  await prepareCorpus({ sources: [source], tokenizer, output: other, lines: "wrapped", threads: 1 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A copy of the corpus in parts, to be spoilt. */
function copy(): string {
  const path = join(folder, `copy-${++count}`);
  cpSync(parts, path, { recursive: true });
  return path;
}

const manifestOf = (path: string, index: number) => join(path, `manifest-000${index}-of-0003.json`);
const shardOf = (path: string, index: number) =>
  join(path, readdirSync(path).find((name) => name.startsWith(`shard-000${index}`))!);

function change(path: string, changed: (manifest: Manifest) => Partial<Manifest>): void {
  const manifest = parseManifest(readFileSync(path, "utf8"), path);
  writeFileSync(path, formatManifest({ ...manifest, ...changed(manifest) }));
}

describe("openCorpus", () => {
  test("finds the shards of all parts in order, and counts", async () => {
    const corpus = await openCorpus([parts], tokenizer);
    expect(corpus).toMatchObject({
      tokens: 17,
      documents: 6,
      sentences: 7,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(corpus.shards.map(({ path }) => path)).toEqual([1, 2, 3].map((index) => shardOf(parts, index)));
    expect(corpus.shards[0]).toMatchObject({ tokens: 5, documents: 2, sentences: 2, vocabularySize: 9 });
    expect(await readShard(corpus.shards[0])).toEqual({
      ids: Uint16Array.of(5, 6, 8, 5, 8),
      sentences: Uint32Array.of(0, 3, 5),
      documents: Uint32Array.of(0, 1, 2),
    });
  });

  test("finds parts in folders of their own, and gives the same hash", async () => {
    const rest = copy();
    const second = join(folder, "second");
    mkdirSync(second);
    for (const file of [manifestOf(rest, 2), shardOf(rest, 2)]) renameSync(file, file.replace(rest, second));
    const corpus = await openCorpus([second, rest], tokenizer);
    expect(corpus.hash).toBe((await openCorpus([parts], tokenizer)).hash);
    expect(corpus.shards[1].path).toBe(shardOf(second, 2));
  });

  test("joins several corpora, in the order given", async () => {
    const both = await openCorpus([parts, other], tokenizer);
    expect(both).toMatchObject({ tokens: 34, documents: 7 });
    expect(both.shards).toHaveLength(4);
    const hashes = [[parts], [other], [other, parts]].map(
      async (folders) => (await openCorpus(folders, tokenizer)).hash,
    );
    expect(new Set([both.hash, ...(await Promise.all(hashes))]).size).toBe(4);
  });

  test("has another hash for another content", async () => {
    const path = copy();
    change(manifestOf(path, 3), ({ shards }) => ({
      shards: shards.map((shard) => ({ ...shard, sha256: "0".repeat(64) })),
    }));
    expect((await openCorpus([path], tokenizer)).hash).not.toBe((await openCorpus([parts], tokenizer)).hash);
  });

  test("missing parts are CORPUS_INCOMPLETE", async () => {
    const path = copy();
    rmSync(manifestOf(path, 1));
    rmSync(manifestOf(path, 3));
    await expectError(
      openCorpus([path], tokenizer),
      "CORPUS_INCOMPLETE",
      "lacks 2 of its 3 parts",
      "no part 1, 3",
      "--shard 1/3",
    );
  });

  test("parts of different sources are CORPUS_INCOMPLETE", async () => {
    const path = copy();
    change(manifestOf(path, 2), ({ sources }) => ({ sources: [...sources, ...sources] }));
    await expectError(
      openCorpus([path], tokenizer),
      "CORPUS_INCOMPLETE",
      "of the same sources and options; got no part 2",
    );
  });

  test("a folder without a manifest is CORPUS_INCOMPLETE", async () => {
    const path = copy();
    for (const index of [1, 2, 3]) rmSync(manifestOf(path, index));
    await expectError(openCorpus([path], tokenizer), "CORPUS_INCOMPLETE", "holds no prepared corpus", "got shard-0001");
    mkdirSync(join(folder, "void"));
    await expectError(openCorpus([join(folder, "void")], tokenizer), "CORPUS_INCOMPLETE", "an empty folder");
  });

  test("no folder is FILE_MISSING", async () => {
    await expectError(openCorpus([join(folder, "none")], tokenizer), "FILE_MISSING", "none does not exist");
    const file = join(folder, "a.txt");
    await expectError(openCorpus([file], tokenizer), "FILE_MISSING", `${file} is no folder; expected a folder`);
  });

  test("a part that is there twice is CORPUS_MALFORMED", async () => {
    await expectError(
      openCorpus([parts, copy()], tokenizer),
      "CORPUS_MALFORMED",
      "part 1 of 3 of a corpus is there twice",
    );
    await expectError(openCorpus([parts, parts], tokenizer), "CORPUS_MALFORMED");
  });

  test("a broken manifest is CORPUS_MALFORMED", async () => {
    const path = copy();
    truncateSync(manifestOf(path, 2), 100);
    await expectError(openCorpus([path], tokenizer), "CORPUS_MALFORMED", manifestOf(path, 2));
  });

  test("a corpus without a token is TEXT_EMPTY", async () => {
    const path = copy();
    for (const index of [1, 2, 3]) change(manifestOf(path, index), () => ({ shards: [] }));
    await expectError(openCorpus([path], tokenizer), "TEXT_EMPTY", path);
  });

  test("a shard that is not there is SHARD_MISSING, at once", async () => {
    const path = copy();
    const file = shardOf(path, 2);
    rmSync(file);
    await expectError(openCorpus([path], tokenizer), "SHARD_MISSING", file);
  });

  test.each<[what: string, tokenizer: BertTokenizer, message: string]>([
    ["tokens in another order", BertTokenizer.fromVocabulary(tokens.with(5, "b").with(6, "a")), "got 9, but others"],
    ["more tokens", BertTokenizer.fromVocabulary([...tokens, "d"]), "expected 10 tokens; got 9"],
    ["another treatment of case", BertTokenizer.fromVocabulary(tokens, { lowercase: false }), "case and accents"],
  ])("a vocabulary with %s is VOCABULARY_MISMATCH", async (_, wrong, message) => {
    await expectError(openCorpus([parts], wrong), "VOCABULARY_MISMATCH", manifestOf(parts, 1), message);
  });

  test("takes the same vocabulary from other files", async () => {
    await openCorpus([parts], BertTokenizer.fromVocabulary(tokens, { stripAccents: true, maxLength: 128 }));
  });
});

describe("readShard", () => {
  async function shards(path: string) {
    return (await openCorpus([path], tokenizer)).shards;
  }

  test.each<[what: string, spoil: (file: string) => void]>([
    ["is cut short", (file) => truncateSync(file, 150)],
    ["is empty", (file) => truncateSync(file, 0)],
    ["has one byte changed", (file) => writeFileSync(file, readFileSync(file).with(-1, 1))],
    ["is another one", (file) => writeFileSync(file, readFileSync(shardOf(parts, 1)))],
  ])("a shard that %s is SHARD_MALFORMED", async (_, spoil) => {
    const path = copy();
    spoil(shardOf(path, 2));
    await expectError(readShard((await shards(path))[1]), "SHARD_MALFORMED", shardOf(path, 2), "expected the sha256");
  });

  test("a shard of other counts than its manifest's is SHARD_MALFORMED", async () => {
    const path = copy();
    change(manifestOf(path, 1), ({ shards }) => ({ shards: shards.map((shard) => ({ ...shard, tokens: 6 })) }));
    await expectError(readShard((await shards(path))[0]), "SHARD_MALFORMED", "expected 2,2,6 documents", "got 2,2,5");
  });

  test("a shard that is lost meanwhile is SHARD_MISSING", async () => {
    const path = copy();
    const [shard] = await shards(path);
    rmSync(shard.path);
    await expectError(readShard(shard), "SHARD_MISSING", shard.path);
  });
});
