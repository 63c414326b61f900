/**
 * Peak memory of a pre-training step of BERT-large, 8 sequences of 512 tokens, whose layers are computed again in the
 * backward pass: `cloze pretrain --recompute` in a process of its own, measured from outside.
 *
 *     npx tsx bench/memory.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchRow, budget, describeMachine, formatRows } from "./rows.ts";
import { BERT_VOCAB, hasData } from "./shared-data.ts";
import { hasWikipedia, writeWikipedia } from "./wikipedia.ts";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** Enough text for some batches. */
const BYTES = 2_000_000;

/** Takes some two minutes. Needs Wikipedia and BERT's vocabulary in shared/data. */
export async function benchMemory(): Promise<BenchRow[]> {
  if (!hasData("memory", BERT_VOCAB) || !hasWikipedia("memory")) return [];
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const text = join(folder, "text.txt");
    await writeWikipedia(text, BYTES);
    const data = join(folder, "data");
    runCloze("prepare", text, "--vocab", BERT_VOCAB, "--output", data);
    const size = ["--model", "large", "--batch-tokens", "4096", "--max-length", "512", "--steps", "2", "--recompute"];
    const options = ["--data", data, "--vocab", BERT_VOCAB, "--output", join(folder, "model"), ...size];
    const gigabytes = runCloze("pretrain", ...options);
    return [budget("peak memory of pre-training BERT-large, 8 x 512, --recompute", gigabytes, "GB", 16)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the process's peak memory, in GB. */
function runCloze(...options: readonly string[]): number {
  const report = "process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS))";
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(report)}`];
  const { status, stderr } = spawnSync(process.execPath, [...flags, MAIN, ...options], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cloze ${options[0]} failed:\n${stderr}`);
  return Number(/peak (\d+)/.exec(stderr)?.[1]) / 1e6;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchMemory())}`);
}
