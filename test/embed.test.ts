/** `cloze embed` as scripts rely on it: formats of files, digits of numbers, what is counted, exit codes. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseNpy } from "../src/formats/npy.ts";
import type { TextInput } from "../src/tasks/run/text-or-pair.ts";
import { FeatureExtractor } from "../src/tasks/vectors/feature-extractor.node.ts";
import { cloze } from "./command-line.ts";
import { examples, writeRows, writeTinyModel } from "./tiny-model.ts";

/** Hidden size. */
const D = 32;

let folder: string;
let model: string;
let extractor: FeatureExtractor;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-embed-"));
  model = await writeTinyModel(join(folder, "model"), { config: { num_hidden_layers: 3 } });
  extractor = await FeatureExtractor.open(model, { threads: 1 });
});
afterAll(async () => {
  await extractor.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** One thread, as the library here: with several a last bit may differ. */
const embed = () => ["embed", model, "--threads", "1"];

const at = (name: string) => join(folder, name);
const texts = examples(20).map(({ text }) => text);

/** The embeddings of texts by the library, with the command's own defaults. */
async function byLibrary(
  inputs: readonly (string | TextInput)[],
  options: Partial<Parameters<FeatureExtractor["pooledFeatures"]>[1]> = {},
): Promise<number[][]> {
  const texts = inputs.map((input) => (typeof input === "string" ? { text: input } : input));
  return (await extractor.pooledFeatures(texts, { pooling: "mean", ...options })).tolist();
}

/** Runs a command that must succeed without a word on standard error; returns its output. */
async function run(args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await cloze(args, { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

interface Row {
  readonly text: string;
  readonly pair?: string;
  readonly embedding: number[];
}

/** Lines of JSON, their numbers rounded to float32 as those are that read them. */
function parseLines(lines: string): Row[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map((row: Row) => ({ ...row, embedding: row.embedding.map(Math.fround) }));
}

describe("on standard output", () => {
  test.concurrent("a line of JSON for each text, with the numbers of the library", async () => {
    const embeddings = await byLibrary(texts);
    const expected = texts.map((text, i) => ({ text, embedding: embeddings[i] }));
    expect(parseLines(await run([...embed(), ...texts]))).toEqual(expected);
    expect(parseLines(await run(embed(), texts.join("\n")))).toEqual(expected);
  });

  test.concurrent("numbers have no more digits than a float32 needs", async () => {
    const [, numbers] = /"embedding":\[(.*)\]/.exec(await run([...embed(), "good day"])) ?? [];
    expect(numbers.split(",")).toHaveLength(D);
    for (const number of numbers.split(",")) {
      expect(number.replace(/e.*/, "").replace(/\D/g, "").replace(/^0+/, "").length).toBeLessThanOrEqual(9);
    }
  });

  test.concurrent("with pooling, layers, length 1 and a maximum length", async () => {
    const options = ["--pooling", "max", "--layers", "-2..-1", "--normalize", "--max-length", "5"];
    const { code, stdout, stderr } = await cloze([...embed(), "good", "bad bad bad bad", ...options]);
    const [one, two] = await byLibrary(["good", "bad bad bad bad"], {
      pooling: "max",
      layers: [2, 3],
      normalize: true,
      maxLength: 5,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "1 longer than the maximum length, cut\n" });
    expect(parseLines(stdout)).toMatchObject([{ embedding: one }, { embedding: two }]);
    expect(one).toHaveLength(2 * D);
  });

  test.concurrent("of a table's columns, pairs too", async () => {
    const pairs = [
      { text: "good", pair: "bad day" },
      { text: 'a "good" day', pair: "no" },
    ];
    const file = writeRows(
      at("pairs.jsonl"),
      pairs.map(({ text, pair }) => ({ q: text, a: pair })),
    );
    const lines = await run([...embed(), "--input", file, "--text-column", "q", "--pair-column", "a"]);
    const embeddings = await byLibrary(pairs);
    expect(parseLines(lines)).toEqual(pairs.map((pair, i) => ({ ...pair, embedding: embeddings[i] })));
  });

  test.concurrent("ends quietly when its reader does", async () => {
    const running = cloze(embed(), { input: `${texts.join("\n")}\n`.repeat(200) });
    running.child.stdout?.once("data", () => running.child.stdout?.destroy());
    expect(await running).toMatchObject({ code: 0, stderr: "" });
  });
});

/** More texts than are embedded at once. */
const many = Array.from({ length: 1100 }, (_, i) => `${texts[i % texts.length]} ${"abc"[i % 3]}`);

describe("to a file", () => {
  /** Embeds `many` into a file of this name, whose rows the library checks. */
  async function embedMany(name: string, ...options: string[]): Promise<number[][]> {
    const result = await cloze([...embed(), "--output", at(name), ...options], { input: many.join("\n") });
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: `${at(name)}: 1100 embeddings of ${D} numbers\n` });
    return byLibrary(many);
  }

  test.concurrent(".jsonl", async () => {
    const embeddings = await embedMany("many.jsonl");
    const rows = parseLines(readFileSync(at("many.jsonl"), "utf8"));
    expect(rows).toEqual(many.map((text, i) => ({ text, embedding: embeddings[i] })));
  });

  test.concurrent(".npy: rows alone, in the order of the texts", async () => {
    const embeddings = await embedMany("many.npy");
    const { shape, data } = parseNpy(readFileSync(at("many.npy")));
    expect(shape).toEqual([1100, D]);
    expect(data).toEqual(Float32Array.from(embeddings.flat()));
  });

  test.concurrent(".parquet, here by --format", async () => {
    const embeddings = await embedMany("many.table", "--format", "parquet");
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at("many.table")) });
    expect(rows).toEqual(many.map((text, i) => ({ text, embedding: embeddings[i] })));
  });

  test.concurrent(".parquet of pairs, and what --json says", async () => {
    const [input, output] = [writeRows(at("p.jsonl"), [{ text: "good", b: "bad" }]), at("pairs.parquet")];
    const args = ["--input", input, "--pair-column", "b", "--output", output, "--layers", "0,3", "--json"];
    const result = JSON.parse(await run([...embed(), ...args]));
    expect(result).toEqual({
      output,
      format: "parquet",
      texts: 1,
      skipped: {},
      places: {},
      notes: {},
      truncated: 0,
      width: 2 * D,
    });
    const pair = { text: "good", pair: "bad" };
    const [embedding] = await byLibrary([pair], { layers: [0, 3] });
    expect(await parquetReadObjects({ file: await asyncBufferFromFile(output) })).toEqual([{ ...pair, embedding }]);
  });

  test.concurrent("empty texts are counted, and have no row", async () => {
    const output = at("gaps.npy");
    const { code, stderr } = await cloze([...embed(), "--output", output], { input: "good\n\n \nbad\n" });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `2 without text skipped (first: standard input, line 2)\n${output}: 2 embeddings of ${D} numbers\n`,
    });
    const { shape, data } = parseNpy(readFileSync(output));
    expect({ shape, data: [...data] }).toEqual({ shape: [2, D], data: (await byLibrary(["good", "bad"])).flat() });
  });

  test.concurrent("an empty text refused leaves what was there", async () => {
    const output = at("kept.npy");
    writeFileSync(output, "old");
    const refused = await cloze([...embed(), "--output", output, "--on-empty", "refuse"], { input: "good\n\n" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("line 2 is empty") });
    expect(refused.stderr).toMatch(/\[TEXT_EMPTY\]\n$/);
    expect(readFileSync(output, "utf8")).toBe("old");
  });

  test.concurrent("an interrupt leaves nothing behind", async () => {
    const running = cloze([...embed(), "--output", at("never.parquet")], { open: true });
    running.child.stdin?.write(`${many.join("\n")}\n`);
    // The staged file shows that it has begun to embed, and now waits for more.
    const begun = () => readdirSync(folder).some((name) => name.startsWith(".never.parquet"));
    while (!begun() && running.child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    running.child.kill("SIGINT");
    expect(await running).toMatchObject({ code: 1, signal: null, stderr: expect.stringMatching(/\[ABORTED\]\n$/) });
    expect(readdirSync(folder).filter((name) => name.includes("never"))).toEqual([]);
  });
});

describe("usage", () => {
  test.concurrent("--help shows examples and what .npy leaves out", async () => {
    const help = await run(["embed", "--help"]);
    expect(help).toMatch(/Usage: cloze embed .*Examples:\n {2}\$ cloze embed /s);
    expect(help).toContain("A .npy file has rows alone");
    expect(await run(["--help"])).toContain("  embed ");
  });

  test.concurrent.each<[args: string[], complaint: string]>([
    [[], "missing required argument 'dir'"],
    [["m", "text", "--input", "a.txt"], "not both"],
    [["m", "text", "--output", "a.csv"], "a.csv ends with no known format; add --format"],
    [["m", "text", "--format", "npy"], "the format npy needs --output"],
    [["m", "text", "--format", "csv"], "Allowed choices are jsonl, npy, parquet"],
    [["m", "text", "--pooling", "none"], "Allowed choices are cls, mean, max"],
    [["m", "text", "--max-length", "0"], "above 0"],
    [["m", "text", "--pair-column", "b"], "[OPTION_INVALID]"],
  ])("%j is a usage error", async (args, complaint) => {
    const { code, stdout, stderr } = await cloze(["embed", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  test.concurrent.each([
    [["--layers", "-4...-1"], "cannot be read"],
    [["--layers", "4"], "the model has no such layer; expected layers from 0, the embeddings, to 3"],
    [["--max-length", "129"], "at most 128 tokens"],
  ])("%j is one for this model, and writes no file", async (options, complaint) => {
    const output = at(`none-${options.join("")}.jsonl`);
    const { code, stderr } = await cloze([...embed(), "good", "--output", output, ...options]);
    expect(code).toBe(2);
    expect(stderr).toContain(complaint);
    expect(existsSync(output)).toBe(false);
  });

  test.concurrent("what is no model folder is told in one line", async () => {
    const { code, stderr } = await cloze(["embed", at("nothing"), "good"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^cloze: .*\[FILE_MISSING\]\n$/) });
  });
});
