/**
 * Fine-tuning on SST-2's phrases and on SQuAD's windows beside PyTorch, which pads each batch to its longest: in batches drawn
 * by chance, as its users have them unless they ask for others, and in the very batches of Cloze, which are of like length.
 * Both in float32 on two threads, the same model, examples and batch size, in turns.
 *
 *     npx tsx bench/finetuning.ts
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BertTokenizer, loadTokenizer } from "cloze";
import { z } from "zod";
import { Random } from "../src/base/random.ts";
import { presetConfig } from "../src/bert/config.ts";
import { planBatches } from "../src/data/length-groups.ts";
import { readSquad } from "../src/formats/squad.node.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";

const SHARED = fileURLToPath(new URL("../../shared/data/", import.meta.url));
const VOCAB = join(SHARED, "vocab/bert-base-uncased");
const ROUNDS = 3;
/** Seed of `finetune` where none is given. */
const SEED = 42;

const Pass = z.object({ seconds: z.number(), tokens: z.number() });
const PeerPass = z.object({ seconds: z.number(), real_tokens: z.number(), torch: z.string() });

interface Corpus {
  readonly name: string;
  readonly task: "text-classification" | "question-answering";
  /** What the peer calls its head. */
  readonly head: "labels" | "span";
  readonly batchSize: number;
  readonly file: string;
  /** Tokens of each sequence that is learnt from. */
  readonly lengths: readonly number[];
}

/**
 * Medians of three rounds. Takes some 25 minutes, nearly all of them for BERT-base. Needs SST-2, SQuAD and BERT's vocabulary
 * beside the checkout and a python3 with PyTorch; no rows, and a word about it, where one is missing.
 */
export async function benchFinetuning(): Promise<BenchRow[]> {
  if (!existsSync(VOCAB) || python === undefined) {
    console.log(`fine-tuning: skipped, ${python === undefined ? "no python3 here has PyTorch" : `no ${VOCAB}`}`);
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const tokenizer = await loadTokenizer(VOCAB);
    const corpora = [phrases(folder, tokenizer), await windows(folder, tokenizer)];
    return corpora.flatMap((corpus) => (["mini", "base"] as const).flatMap((model) => compare(folder, corpus, model)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(folder: string, corpus: Corpus, model: "mini" | "base"): BenchRow[] {
  const { name, task, batchSize, file, lengths } = corpus;
  const order = Random.of("bench").shuffle(Int32Array.from({ length: lengths.length }, (_, i) => i));
  const byChance = Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.subarray(i * batchSize, (i + 1) * batchSize),
  );
  const alike = planBatches(lengths, { batchSize, seed: SEED, epoch: 0 });
  const rounds = Array.from({ length: ROUNDS }, () => ({
    own: Pass.parse(runScript("finetuning-pass.ts", task, model, VOCAB, file, String(batchSize))),
    chance: runPeer(folder, corpus, model, byChance),
    same: runPeer(folder, corpus, model, alike),
  }));
  const { own, same } = rounds[0];
  if (own.tokens !== same.real_tokens) throw new Error(`${own.tokens} tokens here, ${same.real_tokens} in PyTorch`);
  const speed = (read: (round: (typeof rounds)[number]) => { seconds: number }) =>
    lengths.length / median(rounds.map((round) => read(round).seconds));
  const row = (peer: string, peerValue: number, of: number): BenchRow => ({
    name: `fine-tuning ${model} on ${name}, ${batchSize} a batch`,
    value: speed(({ own }) => own),
    unit: "sequences/s",
    peer: `PyTorch ${same.torch}, padded, ${peer}`,
    peerValue,
    wanted: { ratio: "at least", of },
  });
  return [
    row(
      "batches by chance",
      speed(({ chance }) => chance),
      2,
    ),
    row(
      "the same batches",
      speed(({ same }) => same),
      1,
    ),
  ];
}

/** Phrases from all over the training file, 16 batches of them. */
function phrases(folder: string, tokenizer: BertTokenizer): Corpus {
  const batchSize = 32;
  const [, ...rows] = readFileSync(join(SHARED, "sst2/train.tsv"), "utf8").trimEnd().split("\n");
  const chosen = spread(rows, 16 * batchSize);
  const file = join(folder, "phrases.tsv");
  writeFileSync(file, ["text\tlabel", ...chosen, ""].join("\n"));
  const lengths = chosen.map((row) => Math.min(128, tokenizer.encode(row.split("\t")[0]).length));
  return { name: "SST-2 phrases", task: "text-classification", head: "labels", batchSize, file, lengths };
}

/** Questions from all articles, 4 batches of them. */
async function windows(folder: string, tokenizer: BertTokenizer): Promise<Corpus> {
  const batchSize = 16;
  const { questions } = await readSquad(join(SHARED, "squad/train-38-articles.json"));
  const chosen = spread(questions, 4 * batchSize);
  const paragraphs = chosen.map(({ id, question, context }) => {
    const text = context.slice(0, context.indexOf(" "));
    return { context, qas: [{ id, question, answers: [{ text, answer_start: 0 }] }] };
  });
  const file = join(folder, "questions.json");
  writeFileSync(file, JSON.stringify({ data: [{ paragraphs }] }));
  const options = { maxLength: 384, stride: 128, truncation: "only_second" } as const;
  const lengths = chosen.flatMap(({ question, context }) =>
    tokenizer.encodeWindows(question, { pair: context, ...options }).map(({ length }) => length),
  );
  return { name: "SQuAD windows", task: "question-answering", head: "span", batchSize, file, lengths };
}

function spread<T>(items: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);
}

function runPeer(folder: string, { head, lengths }: Corpus, model: "mini" | "base", batches: readonly Int32Array[]) {
  const { vocabSize, hiddenSize, layers, heads } = presetConfig(model, 30522);
  const file = join(folder, "batches.json");
  writeFileSync(file, JSON.stringify(batches.map((batch) => Array.from(batch, (i) => lengths[i]))));
  const size = { vocab: vocabSize, hidden: hiddenSize, layers, heads };
  const options = Object.entries({ ...size, head, batches: file }).flatMap(([name, value]) => [
    `--${name}`,
    `${value}`,
  ]);
  const { stdout, stderr, status } = spawnSync(python ?? "", [PEER, ...options], { encoding: "utf8" });
  if (status !== 0) throw new Error(`pytorch_step.py failed:\n${stderr}`);
  return PeerPass.parse(JSON.parse(stdout));
}

const PEER = fileURLToPath(new URL("peers/pytorch_step.py", import.meta.url));

/** The first that has PyTorch. */
const python = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import torch"], { encoding: "utf8" }).status === 0,
);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}\n\n${formatRows(await benchFinetuning())}`);
}
