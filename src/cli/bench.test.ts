/** `cloze bench` on a model so small that only its report can be looked at, not the speeds. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cloze } from "../../test/command-line.ts";
import { NOT_BUILT } from "../../test/native-kernels.ts";
import { tinyConfig } from "../../test/tiny-model.ts";
import { bertConfigJson } from "../bert/config.ts";
import { hasAddon, loadAddon } from "../executors/native/addon.node.ts";

const ROOT = join(import.meta.dirname, "../..");
let folder: string;
let config: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(bertConfigJson(tinyConfig())));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = ["--batch", "3", "--length", "7", "--runs", "3", "--threads", "1"];
const speed = expect.any(Number);
const figures = {
  model: expect.any(String),
  ...{ batch: 3, length: 7, threads: 1, tokens: 21, flop: speed },
  ...{ seconds: speed, tokensPerSecond: speed, flopPerSecond: speed, limitShare: speed },
  runs: [speed, speed, speed],
};

async function bench(name: string, ...options: string[]) {
  const { code, stdout, stderr } = await cloze(["bench", name, "--model", config, ...SIZE, ...options]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^measuring 4\/4 {2}runs .*\n$/) });
  return stdout;
}

test("step tells of all families, of the optimizer and of the whole", async ({ skip }) => {
  if (!hasAddon()) skip(NOT_BUILT);
  const { families, ...whole } = JSON.parse(await bench("step", "--dropout", "0.2", "--json"));
  const { bfloat16 } = loadAddon().instructionSets[0];
  expect(whole).toEqual({
    ...figures,
    ...{ workload: "step", dropout: 0.2, executor: bfloat16 ? "native bfloat16" : "native float32" },
    limits: { flopPerSecond: speed, bytesPerSecond: speed },
  });
  const names = families.map(({ family }: { family: string }) => family);
  const kernels = ["products", "attention", "normalisation", "pointwise", "rows", "losses", "packing"];
  expect(new Set(names)).toEqual(new Set([...kernels, "optimizer", "between them"]));
  const shares = families.map(({ share }: { share: number }) => share);
  expect(shares.reduce((a: number, b: number) => a + b)).toBeCloseTo(1);
});

test("infer runs the encoder, in float32 unless asked", async ({ skip }) => {
  if (!hasAddon()) skip(NOT_BUILT);
  expect(await bench("infer")).toMatch(
    /^infer of .*config\.json, 3 x 7 tokens; .*^products .*^the whole run .*^Limits: /ms,
  );
});

test("without native kernels the whole alone is told, and why", () => {
  const copy = join(folder, "package");
  for (const name of ["package.json", "dist"]) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"), "junction");
  const args = [join(copy, "dist/cli/main.js"), "bench", "step", "--model", config, ...SIZE, "--json"];
  const stdout = execFileSync(process.execPath, args, { encoding: "utf8", stdio: "pipe" });
  expect(JSON.parse(stdout)).toEqual({
    ...figures,
    ...{ workload: "step", dropout: 0.1, executor: expect.stringContaining("onnx"), families: [] },
    limits: { flopPerSecond: speed },
    missing: expect.stringContaining("there are no native kernels"),
  });
});

test.each(["step", "infer"])("%s --help shows an example", async (name) => {
  const { stdout } = await cloze(["bench", name, "--help"]);
  expect(stdout).toContain(`\nExamples:\n  $ cloze bench ${name} --model base`);
  expect(stdout).toContain("--json");
});

test.each([
  [["bench"], "Usage: cloze bench"],
  [["bench", "step", "--batch", "0"], "above 0"],
  [["bench", "infer", "--length", "513"], "at most 512; got 513"],
])("%j is a usage error", async (args, complaint) => {
  const { code, stdout, stderr } = await cloze(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(complaint);
});
