import { moved } from "./moved.ts";
import { PairQueue } from "./pair-queue.ts";
import { PairTable } from "./pair-table.ts";
import type { SpelledWords } from "./spelled-words.ts";
import { EMPTY, WordLists } from "./word-lists.ts";

/** Two adjoining tokens and how often they adjoin. */
export interface CountedPair {
  left: number;
  right: number;
  count: number;
}

/**
 * Finds the most frequent pair of adjoining tokens and merges it wherever it occurs, again and again.
 *
 * Counts are kept up to date as words change; the queue is not: a pair whose count has fallen is queued anew when it
 * comes up. That suffices since counts never rise. All occurrences of a token are made in one round, because a token's
 * characters are merged the same way wherever they end up as that token; so all occurrences of a pair turn up in one
 * round too, the one that makes the younger of its tokens, and the list of the words that hold it is final then.
 */
export class PairMerger {
  readonly #words: SpelledWords;
  readonly #table = new PairTable();
  readonly #queue = new PairQueue(this.#table);
  readonly #lists = new WordLists();
  /** By pair, the list of the words in which it turned up; some may have lost it since. */
  #holders = new Int32Array(1 << 14).fill(EMPTY);
  /** The pairs that turned up in this round. */
  #found: number[] = [];

  constructor(words: SpelledWords) {
    this.#words = words;
    const { symbols, starts, lengths, counts } = words;
    for (let word = 0; word < words.size; word++) {
      const last = starts[word] + lengths[word] - 1;
      for (let i = starts[word]; i < last; i++) this.#add(symbols[i], symbols[i + 1], word, counts[word]);
    }
    this.#queueFound();
  }

  /** The pair to be merged next, or undefined if no two tokens adjoin any more. */
  next(): CountedPair | undefined {
    const queue = this.#queue;
    while (queue.size > 0) {
      const pair = queue.topPair;
      const count = this.#table.count[pair];
      if (count === 0) queue.pop();
      else if (count !== queue.topCount) queue.refreshTop(count);
      else return { left: this.#table.left[pair], right: this.#table.right[pair], count };
    }
    return undefined;
  }

  /** Puts the token `joined` in the place of the pair that `next` returned, in all words. */
  merge(joined: number): void {
    const pair = this.#queue.topPair;
    this.#queue.pop();
    const left = this.#table.left[pair];
    const right = this.#table.right[pair];
    let list = this.#holders[pair];
    while (list !== EMPTY) {
      this.#mergeWord(this.#lists.first(list), left, right, joined);
      list = this.#lists.pop(list);
    }
    this.#holders[pair] = EMPTY;
    this.#queueFound();
  }

  #mergeWord(word: number, left: number, right: number, joined: number): void {
    const { symbols } = this.#words;
    const count = this.#words.counts[word];
    const start = this.#words.starts[word];
    const end = start + this.#words.lengths[word];
    let to = start;
    for (let from = start; from < end; to++) {
      const symbol = symbols[from++];
      if (symbol !== left || from === end || symbols[from] !== right) {
        symbols[to] = symbol;
        continue;
      }
      from++;
      if (to > start) {
        this.#subtract(symbols[to - 1], left, count);
        this.#add(symbols[to - 1], joined, word, count);
      }
      if (from < end) {
        this.#subtract(right, symbols[from], count);
        this.#add(joined, symbols[from], word, count);
      }
      symbols[to] = joined;
    }
    this.#words.lengths[word] = to - start;
  }

  #subtract(left: number, right: number, count: number): void {
    this.#table.count[this.#table.indexOf(left, right)] -= count;
  }

  #add(left: number, right: number, word: number, count: number): void {
    const pair = this.#table.indexOf(left, right);
    this.#table.count[pair] += count;
    if (pair >= this.#holders.length) {
      this.#holders = moved(this.#holders, new Int32Array(2 * pair).fill(EMPTY));
    }
    const list = this.#holders[pair];
    if (list === EMPTY) this.#found.push(pair);
    else if (this.#lists.first(list) === word) return;
    this.#holders[pair] = this.#lists.push(list, word);
  }

  #queueFound(): void {
    for (const pair of this.#found) this.#queue.push(pair, this.#table.count[pair]);
    this.#found = [];
  }
}
