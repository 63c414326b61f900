/**
 * The data of pre-training: `cloze prepare` on 100 MB of text, the making of instances beside a step of `mini`, and what
 * `cloze pretrain` waits for them.
 *
 *     npx tsx bench/pretraining.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

const Step = z.object({ seconds: z.number(), tokens: z.number() });
const LogLine = z.object({ "speed/waitingShare": z.number() });

/** Takes some three minutes. Needs the Wikipedia corpus beside the checkout; no rows, and a word about it, without. */
export async function benchPretraining(): Promise<BenchRow[]> {
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
    const sizes = ["--model", "mini", "--batch", "64", "--vocabulary", String(VOCABULARY)];
    const { seconds, tokens: stepTokens } = Step.parse(runScript("step.ts", ...sizes));
    return [
      budget("prepare 100 MB of text", median(prepared.map(({ seconds }) => seconds)), "s", 40),
      budget("peak memory of that", Math.max(...prepared.map(({ megabytes }) => megabytes)), "MB", 1000),
      {
        name: "making instances, masks and pairs, a token",
        value: 1e6 * (await instanceSeconds(join(folder, "data"), tokenizer)),
        unit: "µs",
        peer: "a training step of mini, a token",
        peerValue: (1e6 * seconds) / stepTokens,
        wanted: { ratio: "at most", of: 0.03 },
      },
      budget("share of its time that pre-training mini waits", waitingShare(join(folder, "data"), vocab), "", 0.03),
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

/** The mean over 100 updates of `cloze pretrain`, 8192 tokens each. */
function waitingShare(data: string, vocab: string): number {
  const output = join(data, "../model");
  const options = ["--data", data, "--vocab", vocab, "--output", output, "--model", "mini", "--batch-tokens", "8192"];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "pretrain", ...options, "--steps", "100"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`cloze pretrain failed:\n${stderr}`);
  const lines = readFileSync(join(output, "log.jsonl"), "utf8").trimEnd().split("\n");
  const shares = lines.map((line) => LogLine.parse(JSON.parse(line))["speed/waitingShare"]);
  return shares.reduce((a, b) => a + b, 0) / shares.length;
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
