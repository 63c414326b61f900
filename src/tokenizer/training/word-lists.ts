import { moved } from "./moved.ts";

/** No list: an empty one. */
export const EMPTY = -1;

/** Many short linked lists of word numbers in two typed arrays; the nodes of a dropped list are used again. */
export class WordLists {
  #words = new Int32Array(1 << 16);
  #next = new Int32Array(1 << 16);
  #used = 0;
  #free = EMPTY;

  /** Puts a word before a list and returns the list's new head. */
  push(head: number, word: number): number {
    let node = this.#free;
    if (node !== EMPTY) this.#free = this.#next[node];
    else {
      node = this.#used++;
      if (node === this.#words.length) {
        this.#words = moved(this.#words, new Int32Array(2 * node));
        this.#next = moved(this.#next, new Int32Array(2 * node));
      }
    }
    this.#words[node] = word;
    this.#next[node] = head;
    return node;
  }

  /** The word at the head of a list that is not empty. */
  first(head: number): number {
    return this.#words[head];
  }

  /** Drops the head of a list that is not empty and returns what is left of the list. */
  pop(head: number): number {
    const rest = this.#next[head];
    this.#next[head] = this.#free;
    this.#free = head;
    return rest;
  }
}
