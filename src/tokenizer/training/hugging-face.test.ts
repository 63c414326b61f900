import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../base/random.ts";
import { forEachWord } from "../pre-tokenize.ts";
import { alphabetOf } from "./alphabet.ts";
import { learnTokens } from "./learn-tokens.ts";
import { spellWords } from "./spelled-words.ts";
import { seedTokens } from "./token-table.ts";
import { WordCounts } from "./word-counts.ts";

// Npm `tokenizers` trains with its trainer's defaults only: 30,000 tokens, any frequency, no special tokens, the whole
// alphabet. It numbers the `##` characters in the order in which its hash table yields the words, another one in each
// run, and breaks ties by those numbers. So its order is read off its vocabulary and ours is told to take the same;
// then the two must agree token by token.

const PEER_SIZE = 30_000;
const PEER = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { bertNormalizer, bertPreTokenizer, Tokenizer, WordPiece } from "tokenizers";
  const vocabularies = process.argv.slice(1).map((file) => {
    const tokenizer = new Tokenizer(WordPiece.empty());
    tokenizer.setNormalizer(bertNormalizer({ lowercase: true, stripAccents: true }));
    tokenizer.setPreTokenizer(bertPreTokenizer());
    tokenizer.train([file]);
    const tokens = [];
    for (const [token, id] of Object.entries(tokenizer.getVocab())) tokens[id] = token;
    return tokens;
  });
  writeFileSync(3, JSON.stringify(vocabularies));
`;

const folder = mkdtempSync(join(tmpdir(), "cloze-vocabulary-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the peer learns from each text; in a process of its own, since it prints a progress bar. */
function peerTokens(texts: string[]): string[][] {
  const files = texts.map((text, i) => {
    writeFileSync(join(folder, `${i}.txt`), text);
    return join(folder, `${i}.txt`);
  });
  const { output, status } = spawnSync(process.execPath, ["--input-type=module", "-e", PEER, ...files], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  expect(status).toBe(0);
  return JSON.parse(output[3]!);
}

/** What is learnt here from a text if the `##` characters are numbered as they are among the peer's tokens. */
async function tokensLike(peer: string[], text: string): Promise<string[]> {
  const words = new WordCounts();
  forEachWord(text, { lowercase: true }, (word) => words.add(word));
  const { characters, continuing } = alphabetOf(words, Number.POSITIVE_INFINITY);
  const peerContinuing = peer
    .slice(characters.length, characters.length + continuing.length)
    .map((token) => token.codePointAt(2)!);
  expect(peerContinuing.toSorted((a, b) => a - b)).toEqual(continuing);

  const table = seedTokens([], { characters, continuing: peerContinuing });
  const options = { size: PEER_SIZE, minFrequency: 0, breathe: () => undefined };
  await learnTokens(spellWords(words, table), table, options);
  return table.tokens;
}

/** Words of few letters, so that they repeat and ties are common. */
function randomText(seed: number): string {
  const random = Random.of(seed, "vocabulary");
  const letters = ["a", "b", "c", "D", "é", "ß", "字", "!", "𝕏"].slice(0, 1 + random.below(9));
  const longest = 1 + random.below(12);
  const word = () => Array.from({ length: 1 + random.below(longest) }, () => letters[random.below(letters.length)]);
  const lines = Array.from({ length: 1 + random.below(40) }, () => `${word().join("")} `.repeat(1 + random.below(5)));
  return `${lines.join("\n")}\n`;
}

describe("the trainer of Hugging Face tokenizers makes the same vocabulary", () => {
  it("from made-up text", async () => {
    const texts = Array.from({ length: 60 }, (_, seed) => randomText(seed));
    for (const [i, peer] of peerTokens(texts).entries()) expect(await tokensLike(peer, texts[i]!)).toEqual(peer);
  });

  it("from a book", async ({ skip }) => {
    const file = fileURLToPath(new URL("../../../../shared/data/corpora/gutenberg/part-00.jsonl.gz", import.meta.url));
    if (!existsSync(file)) skip(`${file} is not on this machine`);
    const [line] = gunzipSync(readFileSync(file)).toString().split("\n", 1);
    const text: string = JSON.parse(line!).text;
    const [peer] = peerTokens([text]);
    expect(await tokensLike(peer!, text)).toEqual(peer);
  }, 60_000);
});
