/**
 * Pre-training: a step of `mini` beside the ceiling of its own matrix products, the making of its instances beside the step,
 * and `cloze prepare` on 100 MB of text.
 *
 *     npx tsx bench/pretraining.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { openCorpus, readShard } from "../src/corpus/corpus.node.ts";
import { pretrainingBatches, START } from "../src/data/pretraining-batches.ts";
import { readLines } from "../src/formats/text.node.ts";
import { instanceVocabulary } from "../src/tasks/pretraining/held-out.node.ts";
import { saveTokenizer } from "../src/tokenizer/folder.node.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { trainVocabulary } from "../src/tokenizer/train-vocabulary.ts";
import { type BenchRow, budget, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";
import { hasWikipedia, writeWikipedia } from "./wikipedia.ts";

const ROUNDS = 3;
const BYTES = 100_000_000;
const VOCABULARY = 8192;
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

const Step = z.object({ seconds: z.number(), gflops: z.number(), tokens: z.number() });
const Products = z.object({ gflops: z.number(), shapes: z.record(z.string(), z.number()) });

export async function benchPretraining(): Promise<BenchRow[]> {
  const runs = Array.from({ length: ROUNDS }, () => ({
    ceiling: Products.parse(runScript("products.ts", "mini", "64", "128", String(VOCABULARY))),
    step: Step.parse(runScript("step.ts", "mini", "64", "128", "1", "5", String(VOCABULARY), "0")),
    dropout: Step.parse(runScript("step.ts", "mini", "64", "128", "1", "5", String(VOCABULARY), "0.1")),
  }));
  const middle = (read: (run: (typeof runs)[number]) => number) => median(runs.map(read));
  const ceiling = middle((run) => run.ceiling.gflops);
  console.log(`products of mini 64 x 128, GFLOP/s: ${JSON.stringify(runs[0].ceiling.shapes)}`);
  const share = (name: string, value: number): BenchRow => ({
    name,
    value,
    unit: "GFLOP/s",
    peer: "its own matrix products alone",
    peerValue: ceiling,
    wanted: { ratio: "at least", of: 0.65 },
  });
  const rows = [
    share(
      "training step, mini 64 x 128, MLM + NSP, AdamW, no dropout",
      middle(({ step }) => step.gflops),
    ),
    share(
      "the same with dropout 0.1",
      middle(({ dropout }) => dropout.gflops),
    ),
  ];
  const { seconds, tokens } = runs[0].step;
  return [...rows, ...(await benchCorpus(seconds / tokens))];
}

/** Needs the Wikipedia corpus beside the checkout; no rows, and a word about it, where that is missing. */
async function benchCorpus(stepSecondsPerToken: number): Promise<BenchRow[]> {
  if (!hasWikipedia("pre-training")) return [];
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const file = join(folder, "text.txt");
    await writeWikipedia(file, BYTES);
    const { tokens } = await trainVocabulary(readLines(file), { size: VOCABULARY });
    const vocab = join(folder, "vocab");
    const tokenizer = BertTokenizer.fromVocabulary(tokens);
    await saveTokenizer(tokenizer, vocab);
    const prepared = Array.from({ length: ROUNDS }, () => runPrepare(file, vocab, join(folder, "data")));
    return [
      budget("prepare 100 MB of text", median(prepared.map(({ seconds }) => seconds)), "s", 40),
      budget("peak memory of that", Math.max(...prepared.map(({ megabytes }) => megabytes)), "MB", 1000),
      {
        name: "making instances, masks and pairs, a token",
        value: 1e6 * (await instanceSeconds(join(folder, "data"), tokenizer)),
        unit: "µs",
        peer: "a training step of mini, a token",
        peerValue: 1e6 * stepSecondsPerToken,
        wanted: { ratio: "at most", of: 0.03 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `cloze prepare` in a process of its own, which `time` measures from outside. */
function runPrepare(file: string, vocab: string, output: string): { seconds: number; megabytes: number } {
  const options = ["prepare", file, "--vocab", vocab, "--output", output, "--overwrite", "--json"];
  const report = "process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS))";
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(report)}`];
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...flags, MAIN, ...options], { encoding: "utf8" });
  const seconds = (performance.now() - begun) / 1000;
  if (status !== 0) throw new Error(`cloze prepare failed:\n${stderr}`);
  return { seconds, megabytes: Number(/peak (\d+)/.exec(stderr)?.[1]) / 1000 };
}

/** Seconds a token over most of the corpus, planning and reading the shards included. */
async function instanceSeconds(data: string, tokenizer: BertTokenizer): Promise<number> {
  const corpus = await openCorpus([data], tokenizer);
  const source = { count: corpus.shards.length, read: (shard: number) => readShard(corpus.shards[shard]) };
  const mask = { rate: 0.15, unit: "token" } as const;
  const options = { pairing: "next-sentence", maxLength: 128, mask, seed: 1, batchTokens: 8192 } as const;
  const begun = performance.now();
  let tokens = 0;
  for await (const { batch } of pretrainingBatches(source, instanceVocabulary(tokenizer), options, START)) {
    for (const { ids } of batch) tokens += ids.length;
    if (tokens > 0.9 * corpus.tokens) break;
  }
  return (performance.now() - begun) / 1000 / tokens;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchPretraining())}`);
}
