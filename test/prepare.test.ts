/** `cloze prepare` as scripts rely on it, and its threads, which exist as built only. */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareCorpus } from "../dist/corpus/prepare.node.js";
import { loadTokenizer } from "../dist/tokenizer/folder.node.js";
import { saveTokenizer } from "../src/tokenizer/folder.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { cloze } from "./command-line.ts";
import { examples, VOCABULARY } from "./tiny-model.ts";

let folder: string;
let vocab: string;
/** A large text, of several batches, in documents of ten sentences. */
let source: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-prepare-cli-"));
  vocab = at("vocab");
  await saveTokenizer(BertTokenizer.fromVocabulary(VOCABULARY), vocab);
  source = write("source.txt", `${documents(5000).join("\n\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

function documents(count: number): string[] {
  const sentences = examples(10 * count).map(({ text }) => text);
  return Array.from({ length: count }, (_, i) => sentences.slice(10 * i, 10 * i + 10).join("\n"));
}

function filesOf(path: string): Record<string, string> {
  return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), "base64")]));
}

const prepare = (sources: readonly string[], output: string, ...more: string[]) =>
  cloze(["prepare", ...sources, "--vocab", vocab, "--output", output, ...more]);

describe("threads", () => {
  test("change nothing: one, two and three make the same bytes", async () => {
    const tokenizer = await loadTokenizer(vocab);
    const made = [];
    for (const threads of [1, 2, 3]) {
      const output = at(`threads-${threads}`);
      const { shards } = await prepareCorpus({ sources: [source], tokenizer, output, threads, shardTokens: 1 });
      expect(shards.length).toBeGreaterThan(2);
      made.push(filesOf(output));
    }
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
  });

  test("know the tokenizer in all its particulars", async () => {
    const tokens = [...VOCABULARY.slice(0, 5), "Good", "é", "<new>"];
    const tokenizer = BertTokenizer.fromVocabulary(tokens, { lowercase: false, addedTokens: [{ content: "<new>" }] });
    await saveTokenizer(tokenizer, at("cased"));
    const text = write("cased.txt", "Good é<new>\n\n<new>good");
    const made = [];
    for (const threads of ["1", "2"]) {
      const output = at(`cased-${threads}`);
      const args = ["--vocab", at("cased"), "--output", output, "--threads", threads, "--json"];
      const { code, stdout } = await cloze(["prepare", text, ...args]);
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, tokens: 5, unknownTokens: 1 });
      made.push(filesOf(output));
    }
    expect(made[1]).toEqual(made[0]);
  });

  test("end with a failure of their source", async () => {
    const cut = write("cut.txt.gz", gzipSync(readFileSync(source)).subarray(0, -10));
    const { code, stderr } = await prepare([cut], at("cut"), "--threads", "2");
    expect(code).toBe(1);
    expect(stderr).toMatch(/cut\.txt\.gz ends in the middle of its gzip stream; .* \[GZIP_TRUNCATED\]\n$/);
    expect(readdirSync(at("cut"))).toEqual([]);
  });
});

describe("prepare", () => {
  test.concurrent("says what it made", async () => {
    const { code, stdout, stderr } = await prepare([source], at("plain"), "--lines", "sentence");
    expect(code).toBe(0);
    const counts = "5,000 documents, 50,000 sentences, [\\d,]+ tokens \\(0\\.00% unknown\\), 0 empty documents skipped";
    expect(stdout).toMatch(new RegExp(`^\\S+plain: ${counts}, 1 shard, \\d+\\.\\d seconds\\n$`));
    expect(stderr).toMatch(/^preparing 1\/1 {2}MB {2}[\d,]+ tokens {2}\d+s taken$/m);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u); // neither a bar nor colours
  });

  test.concurrent("prints the same as JSON", async () => {
    const rows = [...documents(3), ""].map((body) => `${JSON.stringify({ body })}\n`).join("");
    mkdirSync(at("rows"));
    write("rows/1.jsonl", rows);
    write("rows/2.jsonl.gz", gzipSync(rows));
    const outcome = await prepare([`${at("rows")}/*.jsonl*`], at("json"), "--text-column", "body", "--json");
    expect(outcome).toMatchObject({ code: 0 });
    const { seconds, peakMemoryBytes, tokens, characters, ...result } = JSON.parse(outcome.stdout);
    const counts = { documents: 6, sentences: 60, unknownTokens: 0, emptyDocuments: 2, shards: 1 };
    expect(result).toEqual({ output: at("json"), ...counts });
    for (const count of [tokens, characters]) expect(count).toBeGreaterThan(100);
    expect(seconds).toBeGreaterThan(0);
    expect(peakMemoryBytes).toBeGreaterThan(1e7);
  });

  test.concurrent("warns of a vocabulary of another language", async () => {
    const { code, stdout, stderr } = await prepare([write("greek.txt", "δεν good καλό\n\nεδώ")], at("greek"));
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("(75.00% unknown)") });
    expect(stderr).toContain(`75.00% of the tokens are unknown: is ${vocab} a vocabulary for these texts?`);
  });

  test.concurrent("makes one part of several, into one folder", async () => {
    const output = at("parts");
    const source = write("few.txt", documents(9).join("\n\n"));
    for (const part of ["2/2", "1/2"])
      expect(await prepare([source], output, "--shard", part)).toMatchObject({ code: 0 });
    const names = readdirSync(output).map((name) => name.replace(/-[0-9a-f]{12}\./, "."));
    expect(names).toEqual([
      ...["manifest-0001-of-0002.json", "manifest-0002-of-0002.json"],
      ...["shard-0001-of-0002-00001.safetensors", "shard-0002-of-0002-00001.safetensors"],
    ]);
    const before = filesOf(output);
    expect((await prepare([source], output, "--shard", "1/2")).stderr).toContain("[OUTPUT_NOT_EMPTY]");
    expect((await prepare([source], output, "--shard", "1/2", "--overwrite")).code).toBe(0);
    expect((await prepare([source], output, "--shard", "1/3", "--overwrite")).stderr).toContain("[OUTPUT_NOT_EMPTY]");
    expect(filesOf(output)).toEqual(before);
  });

  test.concurrent("stops on an interrupt and leaves nothing", async () => {
    const output = at("stopped");
    // So many that the run is far from its end when the signal comes, however late that is.
    const copies = Array.from({ length: 60 }, (_, i) => at(`copy-${i}.txt`));
    for (const copy of copies) linkSync(source, copy);
    const run = prepare(copies, output, "--threads", "1");
    while (!existsSync(output) && run.child.exitCode === null) await sleep(10);
    run.child.kill("SIGINT");
    expect(await run).toMatchObject({ code: 1, signal: null, stderr: expect.stringMatching(/\[ABORTED\]\n$/) });
    expect(readdirSync(output)).toEqual([]);
  });

  test.concurrent.each<[args: string[], complaint: string]>([
    [["prepare", "a.txt", "--output", "o"], "required option '--vocab <dir>'"],
    [["prepare", "a.txt", "--vocab", "v"], "required option '--output <dir>'"],
    [["prepare", "--vocab", "v", "--output", "o"], "missing required argument 'source'"],
    [["prepare", "a.txt", "--vocab", "v", "--output", "o", "--lines", "page"], "Allowed choices are paragraph, "],
    [["prepare", "a.txt", "--vocab", "v", "--output", "o", "--shard", "4/3"], "such as 3/64"],
    [["prepare", "a.txt", "--vocab", "v", "--output", "o", "--shard", "0/3"], "such as 3/64"],
    [["prepare", "a.txt", "--vocab", "v", "--output", "o", "--shard", "1"], "such as 3/64"],
    [["prepare", "a.txt", "--vocab", "v", "--output", "o", "--threads", "0"], "above 0"],
  ])("%j is a usage error", async (args, complaint) => {
    const { code, stdout, stderr } = await cloze(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  test.concurrent("help shows examples", async () => {
    const { code, stdout } = await cloze(["prepare", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("$ cloze prepare");
  });
});
