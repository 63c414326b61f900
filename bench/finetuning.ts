/**
 * Fine-tuning on SST-2's phrases and on SQuAD's windows beside PyTorch, which pads each batch to its longest: in batches drawn
 * by chance, as its users have them unless they ask for others, and in the very batches of Cloze, which are of like length.
 * Cloze in its default precision, PyTorch in bfloat16 and in float32, on two threads, the same model, examples and batch
 * size, in turns.
 *
 *     npx tsx bench/finetuning.ts
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BertTokenizer, loadTokenizer } from "cloze";
import { z } from "zod";
import { Random } from "../src/base/random.ts";
import { presetConfig } from "../src/bert/config.ts";
import { planBatches } from "../src/data/length-groups.ts";
import { readSquad } from "../src/formats/squad.node.ts";
import { hasPyTorch, runPyTorch } from "./peers.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";
import { runScript } from "./run-script.ts";
import { BERT_VOCAB, hasData, sharedData } from "./shared-data.ts";

const PHRASES = sharedData("sst2/train.tsv");
const QUESTIONS = sharedData("squad/train-38-articles.json");
const ROUNDS = 3;
/** What the batches of the second pass are made with: the seed of `finetune` where none is given, and the epoch. */
const [SEED, EPOCH] = [42, 1];

const Pass = z.object({ seconds: z.number(), tokens: z.number() });
const PeerPass = z.object({
  seconds: z.number(),
  real_tokens: z.number(),
  padded_tokens: z.number(),
  torch: z.string(),
});

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

/** A way in which PyTorch is measured: `chance` has batches as its users do, `alike` those of Cloze. */
interface PeerWay {
  readonly dtype: "bfloat16" | "float32";
  readonly batches: "chance" | "alike";
  readonly wanted: number;
}

const BATCHES: Readonly<Record<PeerWay["batches"], string>> = {
  chance: "batches by chance",
  alike: "the same batches",
};

const BY_CHANCE: readonly PeerWay[] = [
  { dtype: "bfloat16", batches: "chance", wanted: 2 },
  { dtype: "float32", batches: "chance", wanted: 2 },
];
const ALIKE: PeerWay = { dtype: "bfloat16", batches: "alike", wanted: 1 };

/**
 * Medians of three rounds. Takes some eight minutes, nearly all of them for BERT-base. Needs SST-2 and BERT's vocabulary
 * in shared/data and a python3 with PyTorch; no rows, and a word about it, where one is missing.
 */
export function benchFinetuning(): Promise<BenchRow[]> {
  return benchCorpus(PHRASES, phrases, [...BY_CHANCE, ALIKE]);
}

/** The same on SQuAD's windows, in batches by chance alone. */
export function benchFinetuningWindows(): Promise<BenchRow[]> {
  return benchCorpus(QUESTIONS, windows, BY_CHANCE);
}

type OpenCorpus = (folder: string, tokenizer: BertTokenizer) => Corpus | Promise<Corpus>;

async function benchCorpus(source: string, open: OpenCorpus, ways: readonly PeerWay[]): Promise<BenchRow[]> {
  if (!hasData("fine-tuning", BERT_VOCAB, source) || !hasPyTorch("fine-tuning")) return [];
  const folder = mkdtempSync(join(tmpdir(), "cloze-bench-"));
  try {
    const corpus = await open(folder, await loadTokenizer(BERT_VOCAB));
    return (["mini", "base"] as const).flatMap((model) => compare(folder, corpus, model, ways));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compare(folder: string, corpus: Corpus, model: "mini" | "base", ways: readonly PeerWay[]): BenchRow[] {
  const { name, task, batchSize, file, lengths } = corpus;
  const order = Random.of("bench").shuffle(Int32Array.from({ length: lengths.length }, (_, i) => i));
  const chance = Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.subarray(i * batchSize, (i + 1) * batchSize),
  );
  const batches = { chance, alike: planBatches(lengths, { batchSize, seed: SEED, epoch: EPOCH }) };
  const rounds = Array.from({ length: ROUNDS }, () => ({
    own: Pass.parse(runScript("finetuning-pass.ts", task, model, BERT_VOCAB, file, String(batchSize))),
    peers: ways.map((way) => runPeer(folder, corpus, model, way.dtype, batches[way.batches])),
  }));
  const { own, peers } = rounds[0];
  if (own.tokens !== peers[0].real_tokens)
    throw new Error(`${own.tokens} tokens here, ${peers[0].real_tokens} in PyTorch`);
  const speed = (read: (round: (typeof rounds)[number]) => { seconds: number }) =>
    lengths.length / median(rounds.map((round) => read(round).seconds));
  const fill = (pass: z.infer<typeof PeerPass>) => `${Math.round((100 * pass.real_tokens) / pass.padded_tokens)}%`;
  return ways.map((way, i) => ({
    name: `fine-tuning ${model} on ${name}, ${batchSize} a batch`,
    value: speed(({ own }) => own),
    unit: "sequences/s",
    peer: `PyTorch ${peers[i].torch}, ${way.dtype}, padded, ${BATCHES[way.batches]}, ${fill(peers[i])} real tokens`,
    peerValue: speed((round) => round.peers[i]),
    wanted: { ratio: "at least", of: way.wanted },
  }));
}

/** Phrases from all over the training file, 8 batches of them. */
function phrases(folder: string, tokenizer: BertTokenizer): Corpus {
  const batchSize = 32;
  const [, ...rows] = readFileSync(PHRASES, "utf8").trimEnd().split("\n");
  const chosen = spread(rows, 8 * batchSize);
  const file = join(folder, "phrases.tsv");
  writeFileSync(file, ["text\tlabel", ...chosen, ""].join("\n"));
  const lengths = chosen.map((row) => Math.min(128, tokenizer.encode(row.split("\t")[0]).length));
  return { name: "SST-2 phrases", task: "text-classification", head: "labels", batchSize, file, lengths };
}

/** Questions from all articles, 2 batches of them. */
async function windows(folder: string, tokenizer: BertTokenizer): Promise<Corpus> {
  const batchSize = 16;
  const { questions } = await readSquad(QUESTIONS);
  const chosen = spread(questions, 2 * batchSize);
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

function runPeer(
  folder: string,
  { head, lengths }: Corpus,
  model: "mini" | "base",
  dtype: PeerWay["dtype"],
  batches: readonly Int32Array[],
) {
  const { vocabSize, hiddenSize, layers, heads } = presetConfig(model, 30522);
  const file = join(folder, "batches.json");
  writeFileSync(file, JSON.stringify(batches.map((batch) => Array.from(batch, (i) => lengths[i]))));
  const given = { vocab: vocabSize, hidden: hiddenSize, layers, heads, head, dtype, batches: file };
  return PeerPass.parse(runPyTorch(...Object.entries(given).flatMap(([name, value]) => [`--${name}`, `${value}`])));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(
    `${describeMachine()}\n\n${formatRows([...(await benchFinetuning()), ...(await benchFinetuningWindows())])}`,
  );
}
