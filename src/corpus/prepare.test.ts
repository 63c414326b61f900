import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../../test/expect-error.ts";
import { ClozeError, type ErrorCode } from "../base/errors.ts";
import { Random } from "../base/random.ts";
import { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { SPECIAL_TOKENS } from "../tokenizer/train-vocabulary.ts";
import { openCorpus, readShard } from "./corpus.node.ts";
import { type PrepareOptions, type PrepareProgress, prepareCorpus } from "./prepare.node.ts";

const words = Array.from({ length: 200 }, (_, i) => `w${i}`);
const tokenizer = BertTokenizer.fromVocabulary([...SPECIAL_TOKENS, ...words, "."]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-prepare-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A path that nothing is at. */
const fresh = (name = "") => join(folder, `${++count}${name}`);

function write(name: string, content: string | Uint8Array): string {
  const path = fresh(name);
  writeFileSync(path, content);
  return path;
}

/** Documents of a few sentences of a few words each. */
function documents(count: number, sentences = 3): string[] {
  const random = Random.of("documents", count, sentences);
  const sentence = () => `${Array.from({ length: 6 }, () => words[random.below(words.length)]).join(" ")} .`;
  return Array.from({ length: count }, () => Array.from({ length: sentences }, sentence).join("\n"));
}

/** Texts of several batches, so that with `shardTokens` of 1 there are several shards. */
const many = documents(900, 40);

const plain = (texts: readonly string[]) => texts.join("\n\n");
const prepare = (sources: string, output: string, options: Partial<PrepareOptions> = {}) =>
  prepareCorpus({ sources: [sources], output, tokenizer, threads: 1, ...options });

/** The texts of a corpus's documents, shard by shard, a sentence a line. */
async function textsIn(...folders: string[]): Promise<string[][]> {
  const { shards } = await openCorpus(folders, tokenizer);
  const all = await Promise.all(shards.map((shard) => readShard(shard)));
  return all.map(({ ids, sentences, documents }) => {
    const texts = Array.from(sentences.subarray(1), (end, s) => tokenizer.decode(ids.subarray(sentences[s], end)));
    return Array.from(documents.subarray(1), (end, d) => texts.slice(documents[d], end).join("\n"));
  });
}

const withoutBlanks = (texts: readonly string[]) => texts.map((text) => text.replaceAll(" .", "."));

describe("prepareCorpus", () => {
  test("makes shards that hold every document, and a manifest that counts them", async () => {
    const texts = [...documents(5), "", "nothing known", "\u0000"];
    const rows = texts.map((text) => JSON.stringify({ text })).join("\n");
    const output = fresh();
    const manifest = await prepare(write("a.jsonl.gz", gzipSync(rows)), output);
    expect(manifest).toMatchObject({
      part: { index: 1, of: 1 },
      sources: [{ name: expect.stringMatching(/a\.jsonl\.gz$/) }],
      vocabulary: { size: 206 },
      lines: "paragraph",
      locale: "en",
      textColumn: "text",
      counts: { documents: 6, sentences: 16, tokens: 107, unknownTokens: 2, emptyDocuments: 2 },
      shards: [{ documents: 6, sentences: 16, tokens: 107 }],
    });
    expect(manifest.counts.characters).toBe(texts.join("").length);
    expect(JSON.parse(readFileSync(join(output, "manifest-0001-of-0001.json"), "utf8"))).toEqual(manifest);
    expect(readdirSync(output)).toEqual(["manifest-0001-of-0001.json", manifest.shards[0].file]);
    expect(await textsIn(output)).toEqual([[...withoutBlanks(texts.slice(0, 5)), "[UNK] [UNK]"]]);
  });

  test("divides a corpus into shards of whole documents", async () => {
    const output = fresh();
    const progress: PrepareProgress[] = [];
    const options = { shardTokens: 1, onProgress: (event: PrepareProgress) => progress.push(event) };
    const { shards, counts, sources } = await prepare(write("a.txt", plain(many)), output, options);
    expect(shards.length).toBeGreaterThan(2);
    const texts = await textsIn(output);
    expect(texts.map(({ length }) => length)).toEqual(shards.map(({ documents }) => documents));
    expect(texts.flat()).toEqual(withoutBlanks(many));
    expect(progress).toHaveLength(shards.length);
    expect(progress.at(-1)).toEqual({ bytes: sources[0].bytes, totalBytes: sources[0].bytes, tokens: counts.tokens });
  });

  test("reads the same from wrapped lines", async () => {
    const wrapped = many.slice(0, 9).map((text) => text.replaceAll(" . ", " .\n").replaceAll(" w1", "\nw1"));
    const sources = wrapped.map((text, i) => write(`book-${i}.txt`, text));
    const output = fresh();
    await prepareCorpus({ sources, output, tokenizer, lines: "wrapped", threads: 1 });
    // Without capitals the rules find no end of a sentence, so a document is one.
    const expected = many.slice(0, 9).map((text) => text.replaceAll("\n", " ").replaceAll(" .", "."));
    expect(await textsIn(output)).toEqual([expected]);
  });

  test("the parts of a corpus are together what one part is", async () => {
    const source = write("a.txt", plain(many));
    const output = fresh();
    const manifests = [];
    for (const index of [3, 1, 2]) {
      manifests.push(await prepare(source, output, { part: { index, of: 3 }, shardTokens: 1 }));
    }
    const texts = await textsIn(output);
    expect(texts.length).toBeGreaterThan(2);
    const flat = texts.flat();
    expect(flat).toEqual([0, 1, 2].flatMap((rest) => withoutBlanks(many).filter((_, i) => i % 3 === rest)));
    expect(new Set(manifests.map(({ sources }) => sources[0].sha256)).size).toBe(1);
  });

  test("a part may be without documents, where there are fewer of these", async () => {
    const source = write("two.txt", plain(documents(2)));
    const output = fresh();
    for (const index of [1, 2, 3]) await prepare(source, output, { part: { index, of: 3 } });
    expect(await textsIn(output)).toEqual(withoutBlanks(documents(2)).map((text) => [text]));
  });

  test.each([
    [0, 3],
    [4, 3],
    [1.5, 3],
  ])("there is no part %d of %d", async (index, of) => {
    const run = prepare(write("a.txt", "w1"), fresh(), { part: { index, of } });
    await expectError(run, "OPTION_INVALID", `${index} of ${of}`);
  });
});

describe("a corpus that is there already", () => {
  const source = () => write("a.txt", plain(documents(4)));

  test("is replaced on demand only, and then whole", async () => {
    const output = fresh();
    await prepare(source(), output);
    await expectError(prepare(source(), output), "OUTPUT_NOT_EMPTY");
    const { shards } = await prepare(write("b.txt", plain(many)), output, { overwrite: true, shardTokens: 1 });
    expect(readdirSync(output).sort()).toEqual(
      ["manifest-0001-of-0001.json", ...shards.map(({ file }) => file)].sort(),
    );
    const before = filesOf(output);
    await prepare(write("b.txt", plain(many)), output, { overwrite: true, shardTokens: 1 });
    const manifest = "manifest-0001-of-0001.json"; // names the source
    expect({ ...filesOf(output), [manifest]: "" }).toEqual({ ...before, [manifest]: "" });
  });

  test("texts that are named like shards are read, and stay where the corpus is replaced", async () => {
    const output = fresh();
    mkdirSync(output);
    const names = ["shard-00003-of-00010.jsonl", "shard-0001-of-0001.txt"];
    writeFileSync(join(output, names[0]), '{"text":"w1 w2 ."}\n');
    writeFileSync(join(output, names[1]), "w3 .");
    for (const _ of ["new", "replaced"]) {
      const { sources, shards } = await prepare(output, output, { overwrite: true });
      expect(sources.map(({ name }) => name)).toEqual(names);
      const made = ["manifest-0001-of-0001.json", ...shards.map(({ file }) => file)];
      expect(readdirSync(output).sort()).toEqual([...made, ...names].sort());
      expect(await textsIn(output)).toEqual([["w1 w2.", "w3."]]);
    }
  });

  test.each<[what: string, sources: () => string, options: Partial<PrepareOptions>, code: ErrorCode]>([
    ["cut gzip", () => write("a.txt.gz", gzipSync(plain(many)).subarray(0, -9)), {}, "GZIP_TRUNCATED"],
    ["another encoding", () => write("a.txt", Buffer.from(`${plain(many)}\xe9 .`, "latin1")), {}, "INVALID_UTF8"],
    ["an abort", () => write("a.txt", plain(many)), { signal: abortedLater() }, "ABORTED"],
    ["no token", () => write("a.jsonl", '{"text":""}\n{"text":" \\u0000"}\n'), {}, "TEXT_EMPTY"],
    ["a missing file", () => fresh(), {}, "FILE_MISSING"],
    ["a locale that is none", source, { locale: "?" }, "OPTION_INVALID"],
  ])("is as it was after %s", async (_, sources, options, code) => {
    const output = fresh();
    await prepare(source(), output);
    const before = filesOf(output);
    await expectError(prepare(sources(), output, { overwrite: true, shardTokens: 1, ...options }), code);
    expect(filesOf(output)).toEqual(before);
    await expectError(prepare(sources(), fresh(), { shardTokens: 1, ...options }), code);
    const anew = join(folder, String(count));
    expect(existsSync(anew) ? readdirSync(anew) : []).toEqual([]);
  });

  /** A signal that fires once the first batch is done. */
  function abortedLater(): AbortSignal {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new ClozeError("ABORTED", { problem: "enough" })), 1);
    return controller.signal;
  }

  test("is as it was where its manifest cannot be replaced", async () => {
    const output = fresh();
    mkdirSync(join(output, "manifest-0001-of-0001.json"), { recursive: true });
    await expectError(prepare(source(), output, { overwrite: true }), "FILE_NOT_WRITABLE", "cannot be replaced");
    expect(readdirSync(output)).toEqual(["manifest-0001-of-0001.json"]);
  });

  test("is as it was where the disk fills up", async ({ skip }) => {
    const output = fresh();
    mkdirSync(output);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", output]);
    if (mounted.status !== 0) skip(`cannot mount a small tmpfs here: ${mounted.stderr ?? mounted.error}`);
    try {
      await prepare(source(), output);
      const before = filesOf(output);
      const big = write("big.txt", plain(many));
      const full = prepare(big, output, { overwrite: true, shardTokens: 1 });
      await expectError(full, "DISK_FULL", "what was there before is unchanged");
      expect(filesOf(output)).toEqual(before);
    } finally {
      spawnSync("umount", [output]);
    }
  });
});

function filesOf(path: string): Record<string, string> {
  return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), "base64")]));
}
