/**
 * Inference beside transformers.js: BERT-base as a text classifier on mixed-length sentences, 32 a batch, and on one
 * short sentence; mini on one short sentence. The same weights on both sides (peers/bert-onnx.ts), from texts to scores.
 *
 *     npx tsx bench/inference.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { finetune, loadTokenizer } from "cloze";
import { z } from "zod";
import { nativeInstructionSets } from "../src/executors/executor.node.ts";
import { writeOnnxModels } from "./peers/bert-onnx.ts";
import { hasTransformersJs, PEERS } from "./peers.ts";
import { type BenchRow, budget, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";
import { BERT_VOCAB, hasData, sharedData } from "./shared-data.ts";

const SENTENCES = sharedData("sst2/dev.tsv");
const ROUNDS = 5;
const BATCHES = 6;
const BATCH_SIZE = 32;
const SHORT_CALLS = 30;
/** Passes over the batches, and over the short sentence: of the latter as many that the median is of compiled JavaScript. */
const PASSES = { mixed: 3, short: 20 };
const SHORT_TOKENS = 30;
/** How far the probabilities of both sides may differ in float32, to be of one model. */
const TOLERANCE = 1e-3;

const Label = z.object({ label: z.string(), score: z.number() });
const Pass = z.object({ seconds: z.number(), first: Label });
const PeerPass = Pass.extend({ version: z.string() });

/** Speeds of Cloze that are wanted, as multiples of transformers.js' in both of its precisions. */
const WANTED: Readonly<Record<string, { readonly fp32: number; readonly q8?: number }>> = {
  fp32: { fp32: 2.2 },
  bf16: { fp32: 4 },
  int8: { fp32: 5, q8: 1.8 },
};

/**
 * Medians of five interleaved rounds. Takes some six minutes. Needs SST-2 and BERT's vocabulary in shared/data, and the
 * npm registry for transformers.js when it is first run; says what is left out where one is missing.
 */
export async function benchInference(): Promise<BenchRow[]> {
  if (!hasData("inference", BERT_VOCAB, SENTENCES)) return [];
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    for (const model of ["base", "mini"]) await makeClassifier(folder, model);
    await writeOnnxModels(join(folder, "base"));
    const batches = await writeBatches(folder);
    return [...compareBatches(folder, batches), ...compareShort(folder, batches)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Files {
  /** Batches of mixed-length sentences, and how many sentences. */
  readonly mixed: string;
  readonly sentences: number;
  /** One short sentence again and again. */
  readonly short: string;
}

/** Those whose numbers this processor multiplies; says which are left out. */
function findPrecisions(): string[] {
  const { bfloat16, int8 } = nativeInstructionSets().chosen;
  const missing = [...(bfloat16 ? [] : ["bf16"]), ...(int8 ? [] : ["int8"])];
  if (missing.length > 0) console.error(`inference: without ${missing.join(" and ")}, which this processor lacks`);
  return Object.keys(WANTED).filter((precision) => !missing.includes(precision));
}

function compareBatches(folder: string, { mixed, sentences }: Files): BenchRow[] {
  const peers = hasTransformersJs("inference");
  if (!peers) return [];
  const precisions = findPrecisions();
  const rounds = Array.from({ length: ROUNDS }, () => ({
    own: new Map(precisions.map((precision) => [precision, runOwn(folder, "base", precision, mixed, PASSES.mixed)])),
    fp32: runPeer(folder, "fp32", mixed, PASSES.mixed),
    q8: runPeer(folder, "q8", mixed, PASSES.mixed),
  }));
  requireSame(rounds[0].own.get("fp32")?.first, rounds[0].fp32.first);
  return precisions.flatMap((precision) =>
    Object.entries(WANTED[precision]).map(([dtype, of]): BenchRow => {
      const seconds = rounds.map(({ own }) => own.get(precision)?.seconds ?? Number.NaN);
      return {
        name: `inference, base, mixed-length sentences, ${BATCH_SIZE} a batch, ${precision}`,
        value: sentences / median(seconds),
        unit: "sentences/s",
        peer: `transformers.js ${rounds[0].fp32.version}, ${dtype}`,
        peerValue: sentences / median(rounds.map((round) => round[dtype as "fp32" | "q8"].seconds)),
        wanted: { ratio: "at least", of },
      };
    }),
  );
}

function compareShort(folder: string, { short }: Files): BenchRow[] {
  const peers = hasTransformersJs("inference");
  const rounds = Array.from({ length: ROUNDS }, () => ({
    base: runOwn(folder, "base", "bf16", short, PASSES.short),
    mini: runOwn(folder, "mini", "bf16", short, PASSES.short),
    peer: peers ? runPeer(folder, "fp32", short, PASSES.short) : undefined,
  }));
  const milliseconds = (read: (round: (typeof rounds)[number]) => { seconds: number } | undefined) =>
    (1000 * median(rounds.map((round) => read(round)?.seconds ?? Number.NaN))) / SHORT_CALLS;
  const { peer } = rounds[0];
  const name = `one sentence of ${SHORT_TOKENS} tokens`;
  const rows: BenchRow[] = [
    budget(
      `${name}, mini, bf16`,
      milliseconds(({ mini }) => mini),
      "ms",
      1,
    ),
  ];
  if (peer === undefined) return rows;
  return [
    {
      name: `${name}, base, bf16`,
      value: milliseconds(({ base }) => base),
      unit: "ms",
      peer: `transformers.js ${peer.version}, fp32`,
      peerValue: milliseconds((round) => round.peer),
      wanted: { ratio: "at most", of: 0.55 },
    },
    ...rows,
  ];
}

/** A classifier with two labels; what it has learnt does not matter. */
async function makeClassifier(folder: string, model: string): Promise<void> {
  const train = join(folder, "train.tsv");
  writeFileSync(train, "text\tlabel\na moving and important film .\tgood\none long string of cliches .\tbad\n");
  await finetune("text-classification", { model, vocab: BERT_VOCAB, train, output: join(folder, model), epochs: 1 });
}

async function writeBatches(folder: string): Promise<Files> {
  const [, ...rows] = readFileSync(SENTENCES, "utf8").trimEnd().split("\n");
  const sentences = rows.map((row) => row.split("\t")[0]);
  const tokenizer = await loadTokenizer(BERT_VOCAB);
  const short = sentences.find((sentence) => tokenizer.encode(sentence).length === SHORT_TOKENS);
  if (short === undefined) throw new Error(`no sentence of ${SHORT_TOKENS} tokens`);
  const files = { mixed: join(folder, "mixed.json"), short: join(folder, "short.json") };
  const batches = Array.from({ length: BATCHES }, (_, i) => sentences.slice(i * BATCH_SIZE, (i + 1) * BATCH_SIZE));
  writeFileSync(files.mixed, JSON.stringify(batches));
  writeFileSync(files.short, JSON.stringify(new Array(SHORT_CALLS).fill([short])));
  return { ...files, sentences: batches.flat().length };
}

function runOwn(folder: string, model: string, precision: string, file: string, passes: number) {
  return Pass.parse(runScript("inference-pass.ts", folder, model, precision, file, String(passes)));
}

function runPeer(folder: string, dtype: string, file: string, passes: number) {
  const program = [join(PEERS, "transformers-js.mjs"), folder, "base", dtype, file, String(passes)];
  const { stdout, stderr, status } = spawnSync(process.execPath, program, { encoding: "utf8" });
  if (status !== 0) throw new Error(`transformers-js.mjs failed:\n${stderr}`);
  return PeerPass.parse(JSON.parse(stdout));
}

function requireSame(own: z.infer<typeof Label> | undefined, peer: z.infer<typeof Label>): void {
  if (own?.label === peer.label && Math.abs(own.score - peer.score) <= TOLERANCE) return;
  throw new Error(
    `inference: ${JSON.stringify(own)} in Cloze, ${JSON.stringify(peer)} in transformers.js: not one model`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchInference())}`);
}
