/**
 * The README's two commands after `npm ci`: how long they take, how good the demo's classifier is beside the majority, and how
 * long an epoch of it takes beside ONNX Runtime, which trains where the kernels were not built.
 *
 *     npx tsx bench/demo.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type BenchRow, budget, describeMachine, formatRows } from "./rows.ts";

const ROOT = join(import.meta.dirname, "..");
const Report = z.object({
  accuracy: z.number(),
  perLabel: z.array(z.object({ support: z.number() })),
  examples: z.number(),
});

export function benchDemo(): BenchRow[] {
  const demo = secondsOf("npm", "start");
  const folder = join(ROOT, "demo-output");
  const evaluate = [
    "dist/cli/main.js",
    "evaluate",
    join(folder, "model"),
    "--data",
    join(folder, "test.jsonl"),
    "--json",
  ];
  const { stdout } = spawnSync(process.execPath, evaluate, { cwd: ROOT, encoding: "utf8" });
  const { accuracy, perLabel, examples } = Report.parse(JSON.parse(stdout));
  const majority = Math.max(...perLabel.map(({ support }) => support)) / examples;
  return [
    budget("npm start", demo, "s", 240),
    {
      name: `accuracy of its classifier on ${examples} mails of other threads`,
      value: accuracy,
      unit: "",
      peer: "the commonest label",
      peerValue: majority,
      wanted: { ratio: "at least", of: Number((0.95 / majority).toFixed(2)) },
    },
    {
      name: "an epoch of the demo's training",
      value: epochSeconds(folder, "cpu"),
      unit: "s",
      peer: "--device onnx",
      peerValue: epochSeconds(folder, "onnx"),
      wanted: { ratio: "at most", of: 0.5 },
    },
    budget("npm test", secondsOf("npm", "test"), "s", 300),
  ];
}

/** The demo's own recipe but for the epochs, and without a dev file; the start of the program counts. */
function epochSeconds(folder: string, device: string): number {
  const output = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  const recipe = "--epochs 1 --batch-size 16 --learning-rate 3e-4 --max-length 256".split(" ");
  const files = ["--train", join(folder, "train.jsonl"), "--output", join(output, "model")];
  const command = ["dist/cli/main.js", "finetune", "text-classification", ...files, ...recipe, "--device", device];
  try {
    return secondsOf(process.execPath, ...command);
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

function secondsOf(command: string, ...args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return (performance.now() - start) / 1000;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(benchDemo())}`);
}
