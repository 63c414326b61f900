/**
 * One pipeline call on one short text, from the text to its label: what a program waits for that classifies as texts come.
 * The model has the size of the one that comes along.
 *
 *     npx tsx bench/latency.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { finetune, pipeline } from "cloze";
import { type BenchRow, budget, describeMachine, formatRows, median } from "./rows.ts";

const TEXT = "a moving and important film .";
const CALLS = 500;
const WARM_UP = 50;

/** Takes some seconds. */
export async function benchLatency(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const [train, model] = [join(folder, "train.tsv"), join(folder, "model")];
    writeFileSync(train, `text\tlabel\n${TEXT}\tgood\none long string of cliches .\tbad\n`);
    await finetune("text-classification", { train, output: model, epochs: 1 });
    const milliseconds = await measure(model);
    return [budget("one pipeline call on one short text, mini", milliseconds, "ms", 5)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(model: string): Promise<number> {
  const classify = await pipeline("text-classification", model);
  const times: number[] = [];
  for (let call = 0; call < WARM_UP + CALLS; call++) {
    const begun = performance.now();
    await classify(TEXT);
    times.push(performance.now() - begun);
  }
  await classify.dispose();
  return median(times.slice(WARM_UP));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchLatency())}`);
}
