/** The commands of pre-training as a user runs them: from a folder of text to a filled mask. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasAddon } from "../src/executors/native/addon.node.ts";
import { cloze } from "./command-line.ts";
import { NOT_BUILT } from "./native-kernels.ts";
import { type TinyCorpus, writeTinyCorpus } from "./tiny-corpus.ts";
import { examples } from "./tiny-model.ts";

let folder: string;
let corpus: TinyCorpus;
let args: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloze-pretrain-cli-"));
  corpus = await writeTinyCorpus(join(folder, "corpus"));
  const { data, config, vocab } = corpus;
  const files = ["--data", data, "--model", config, "--vocab", vocab];
  args = ["pretrain", ...files, ..."--batch-tokens 48 --max-length 24 --threads 1".split(" ")];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const fresh = () => join(folder, String(++count));

test("three commands take a folder of texts to a model that fills in masks", async () => {
  const texts = fresh();
  mkdirSync(join(texts, "below"), { recursive: true });
  const sentences = examples(200).map(({ text }) => text);
  for (const [i, name] of ["a.txt", "below/b.txt"].entries()) {
    const lines = sentences.slice(100 * i, 100 * (i + 1)).map((text, j) => (j % 5 === 4 ? `${text}.\n` : `${text}.`));
    writeFileSync(join(texts, name), lines.join("\n"));
  }
  const [vocab, data, model] = [fresh(), fresh(), fresh()];
  expect(await cloze(["vocab", texts, "--size", "80", "--output", vocab])).toMatchObject({ code: 0 });
  const prepared = await cloze(["prepare", texts, "--lines", "sentence", "--vocab", vocab, "--output", data]);
  expect(prepared).toMatchObject({ code: 0, stdout: expect.stringContaining("40 documents, 200 sentences") });
  const options = "--model tiny --steps 8 --batch-tokens 256 --max-length 32 --threads 1".split(" ");
  const trained = await cloze(["pretrain", "--data", data, "--vocab", vocab, ...options, "--output", model]);
  expect(trained).toMatchObject({ code: 0, stdout: expect.stringContaining(`The model is in ${model}.`) });
  const { code, stdout } = await cloze(["predict", model, "good [MASK]", "--top-k", "2"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).masks[0]).toMatchObject([{ token_str: expect.any(String) }, { score: expect.any(Number) }]);
});

test("pretrain says how it goes and what came out, evaluate measures it again", async () => {
  const output = fresh();
  const heldOut = ["--held-out", corpus.text, "--lines", "sentence", "--evaluate-every", "4"];
  const { code, stdout, stderr } = await cloze([...args, "--steps", "6", ...heldOut, "--output", output]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^[\d,]+ tokens in 12 documents, shards: 1$/m);
  expect(stderr).toMatch(/^held out: [\d,]+ sequences, [\d,]+ masks$/m);
  expect(stderr).toMatch(/^[\d,]+ parameters; matrix products alone would run at [\d,]+ tokens\/s$/m);
  expect(stderr).toMatch(
    /^step 4, held out: masked-LM loss \d\.\d{3}, accuracy 0\.\d{4}, perplexity [\d.]+, pairs [01]\.\d{4}$/m,
  );
  expect(stderr).toMatch(
    /^pre-training 6\/6 {2}loss .* accuracy .* perplexity .* pairs .* tokens\/s {2}\d+% of ceiling {2}\d+s taken$/m,
  );
  expect(stdout).toMatch(/^6 of 6 updates, [\d,]+ tokens in \d+s\nheld out: masked-LM loss /);

  const measured = await cloze(["evaluate", output, "--data", corpus.text, "--lines", "sentence", "--threads", "1"]);
  expect(measured).toMatchObject({ code: 0, stdout: expect.stringMatching(/^maskedAccuracy +0\.\d{4}$/m) });
  const asked = ["evaluate", output, "--task", "pretraining", "--data", corpus.text, "--lines", "sentence", "--json"];
  const metrics = JSON.parse(readFileSync(join(output, "metrics.json"), "utf8"));
  expect(JSON.parse((await cloze([...asked, "--threads", "1"])).stdout)).toEqual(metrics);
});

test("any number of threads trains the same model, to the byte", async ({ skip }) => {
  if (!hasAddon()) skip(NOT_BUILT);
  const weightsOf = async (threads: number) => {
    const output = fresh();
    const options = ["--steps", "4", "--batch-tokens", "480", "--threads", `${threads}`, "--output", output];
    expect(await cloze([...args, ...options])).toMatchObject({ code: 0 });
    return readFileSync(join(output, "model.safetensors"));
  };
  const [one, two] = [await weightsOf(1), await weightsOf(2)];
  expect(one.equals(two)).toBe(true);
});

test("the time that it is given ends it without a fault, and it goes on", async () => {
  const output = fresh();
  const stopped = await cloze([...args, "--steps", "5", "--max-hours", "1e-9", "--json", "--output", output]);
  expect(JSON.parse(stopped.stdout)).toMatchObject({ output, steps: 1, totalSteps: 5 });
  expect(stopped.code).toBe(0);
  const resumed = await cloze([...args, "--steps", "5", "--resume", "--output", output]);
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining("resuming after step 1\n") });
});

test("--clip-norm reaches the recipe, and is 1 unless told", async () => {
  const clipNormOf = async (...options: string[]) => {
    const output = fresh();
    expect(await cloze([...args, "--steps", "1", ...options, "--output", output])).toMatchObject({ code: 0 });
    return JSON.parse(readFileSync(join(output, "training.json"), "utf8")).settings.clipNorm;
  };
  expect(await Promise.all([clipNormOf("--clip-norm", "0.5"), clipNormOf()])).toEqual([0.5, 1]);
});

test("SIGINT leaves a checkpoint and says how to go on", async () => {
  const output = fresh();
  const run = cloze([...args, "--steps", "100000", "--output", output]);
  run.child.stderr?.on("data", (text: string) => text.includes("parameters") && run.child.kill("SIGINT"));
  const { code, stderr } = await run;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /training stopped at step \d+ of 100000\. Run the same command with --resume .*\[ABORTED\]\n$/,
  );
  expect(readdirSync(output)).toContain("checkpoints");
});

describe("wrong usage", () => {
  test.concurrent.each<[options: string[], complaint: string]>([
    [["--then", "512"], "such as 512:10%"],
    [["--then", "512:100%"], "such as 512:10%"],
    [["--pairs", "friends"], "Allowed choices are next-sentence, sentence-order, none"],
    [["--optimizer", "sgd"], "Allowed choices are adamw, lamb"],
    [["--schedule", "flat"], "Allowed choices are linear, cosine, one-cycle"],
    [["--steps", "0"], "a whole number above 0"],
    [["--clip-norm", "0"], "a number above 0"],
    [["--mask-rate", "2"], "a number from 0 to 1"],
    [["--resume", "--overwrite"], "Give one of them"],
    [["--pairs", "none", "--objective", "pretraining"], "--objective masked-lm"],
  ])("%j", async (options, complaint) => {
    const { code, stdout, stderr } = await cloze([...args, ...options, "--output", join(folder, "none")]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(complaint);
  });

  test.concurrent("--help shows the three commands", async () => {
    const { code, stdout } = await cloze(["pretrain", "--help"]);
    expect(code).toBe(0);
    for (const command of ["cloze vocab", "cloze prepare", "cloze pretrain"]) expect(stdout).toContain(`$ ${command} `);
  });
});
