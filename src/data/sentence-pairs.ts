import { ClozeError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { countDocuments, type Documents } from "./documents.ts";
import type { Sequence } from "./sequences.ts";

/**
 * What a sequence of pre-training is made of, and what its label asks.
 *
 * - `next-sentence` (BERT: Devlin et al. 2019, section 3.1): does B follow A, or is it from another document?
 * - `sentence-order` (ALBERT: Lan et al. 2020, section 3.1): do A and B, neighbours in one document, stand in their
 *   order?
 * - `none` (RoBERTa's DOC-SENTENCES: Liu et al. 2019, section 4.2; also SpanBERT: Joshi et al. 2020): sentences of one
 *   document up to the limit, without a label.
 */
export const PAIRINGS = ["next-sentence", "sentence-order", "none"] as const;

export type Pairing = (typeof PAIRINGS)[number];

export interface PlanOptions {
  readonly pairing: Pairing;
  /** The most tokens that a sequence may have, special ones included. */
  readonly maxLength: number;
}

/** Which tokens go into which sequence: all that is random about the sequences, in 17 bytes each. */
export interface SequencePlan {
  readonly pairing: Pairing;
  /** How many sequences there are. They stand in the order of their documents, unshuffled. */
  readonly length: number;
  /** Where A begins and ends in `documents.ids`, then where B does [length, 4]. Without pairs B is empty. */
  readonly ranges: Uint32Array;
  /** 0 where B follows A, 1 where it is random or both are swapped [length]. Without pairs 0. */
  readonly labels: Uint8Array;
  /** Documents of a single sentence: they make no pair, but may lend a random B. Without pairs 0. */
  readonly unpairable: number;
}

/** A sequence with what the next-sentence head is asked about it: Hugging Face's `next_sentence_label`. */
export interface PretrainingSequence extends Sequence {
  readonly nextSentence: 0 | 1 | undefined;
}

/** So many sequences are shorter on purpose, as texts will be after pre-training (create_pretraining_data.py). */
const SHORT_PROBABILITY = 0.1;

/** `[CLS] A [SEP] B [SEP]`, or `[CLS] A [SEP]`. */
const specialTokens = (pairing: Pairing) => (pairing === "none" ? 2 : 3);

/**
 * Divides documents into sequences: a function of the documents, the options and the random stream.
 *
 * **Pairs** follow Google's create_pretraining_data.py. Sentences of one document are gathered until they reach a
 * target: all the room there is or, in a tenth of the sequences, a length drawn evenly from 2 up to it (Google draws it
 * once a document). A is a prefix of them, drawn evenly. A fair coin then says whether B is the rest of them (label 0)
 * or, with label 1, sentences from an evenly drawn place of an evenly drawn other document, as many as reach the
 * target; then the rest is put back, so that nothing is lost. For `sentence-order` label 1 has the same two segments,
 * swapped. A pair too long for the room loses tokens from its longer segment, at either end.
 *
 * Google's labels are not even, since a chunk of a single sentence has nothing to follow it and always gets a random B.
 * Here a chunk has two sentences or more, beyond the target if need be, and a last sentence left alone is gathered
 * again with the one before it. So each label is a fair coin of its own, tossed after A was drawn, and A tells nothing
 * of it. The price: the second last sentence of a document may be the A of several pairs, until the coin gives it its
 * true B.
 *
 * **Without pairs** a sequence has as many whole sentences of one document as there is room for; a sentence too long
 * for that is cut into pieces. Every token stands in exactly one sequence. The last sequence of a document is short,
 * which costs nothing, as batches are packed without padding.
 *
 * @throws ClozeError OPTION_INVALID where maxLength has no room for a token a segment; CORPUS_TOO_SMALL where there are
 * too few documents, or none has the two sentences of a pair
 */
export function planSequences(documents: Documents, options: PlanOptions, random: Random): SequencePlan {
  const { pairing } = options;
  const room = roomOf(options);
  const unpairable = pairing === "none" ? 0 : countLoneSentences(documents);
  requireCorpus(documents, pairing, unpairable);

  const rows = new PlanRows();
  const divide = pairing === "none" ? packDocument : pairDocument;
  for (let document = 0; document < countDocuments(documents); document++) {
    divide(document, { documents, pairing, room, random, rows });
  }
  return { pairing, unpairable, ...rows.finish() };
}

/** How many tokens each sequence will have, special ones included, for putting batches together [length]. */
export function sequenceLengths({ pairing, length, ranges }: SequencePlan): Int32Array {
  const lengths = new Int32Array(length).fill(specialTokens(pairing));
  for (let i = 0; i < length; i++) {
    lengths[i] += ranges[4 * i + 1] - ranges[4 * i] + (ranges[4 * i + 3] - ranges[4 * i + 2]);
  }
  return lengths;
}

/** Sequence `index` of a plan: `[CLS] A [SEP] B [SEP]` of types 0 0 0 1 1, or `[CLS] A [SEP]`. Arrays of its own. */
export function sequenceAt(
  documents: Documents,
  { pairing, ranges, labels }: SequencePlan,
  index: number,
  { cls, sep }: { readonly cls: number; readonly sep: number },
): PretrainingSequence {
  const a = documents.ids.subarray(ranges[4 * index], ranges[4 * index + 1]);
  const b = documents.ids.subarray(ranges[4 * index + 2], ranges[4 * index + 3]);
  const ids = new Int32Array(a.length + b.length + specialTokens(pairing));
  const typeIds = new Int32Array(ids.length);
  const middle = a.length + 2;
  ids[0] = cls;
  ids.set(a, 1);
  ids[middle - 1] = sep;
  if (pairing === "none") return { ids, typeIds, nextSentence: undefined };
  ids.set(b, middle);
  ids[ids.length - 1] = sep;
  typeIds.fill(1, middle);
  return { ids, typeIds, nextSentence: labels[index] === 0 ? 0 : 1 };
}

/** Some tokens of the documents, from one index of `ids` up to another. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** What there is to work with. */
interface Planning {
  readonly documents: Documents;
  readonly pairing: Pairing;
  /** Tokens for both segments together. */
  readonly room: number;
  readonly random: Random;
  readonly rows: PlanRows;
}

/** The sequences of one document without pairs. */
function packDocument(document: number, { documents, room, rows }: Planning): void {
  const { sentences } = documents;
  const { first, end } = sentencesOf(documents, document);
  let start = sentences[first];
  for (let sentence = first; sentence < end; sentence++) {
    const sentenceStart = sentences[sentence];
    const sentenceEnd = sentences[sentence + 1];
    if (sentenceEnd - start <= room) continue;
    if (start < sentenceStart) rows.add({ start, end: sentenceStart }, NOTHING, 0);
    // What is left of a sentence too long for one sequence shares the next one with the sentences after it.
    for (start = sentenceStart; sentenceEnd - start > room; start += room) {
      rows.add({ start, end: start + room }, NOTHING, 0);
    }
  }
  rows.add({ start, end: sentences[end] }, NOTHING, 0);
}

const NOTHING: Range = { start: 0, end: 0 };

/** The pairs of one document, of whatever length; none if it has a single sentence. */
function pairDocument(document: number, planning: Planning): void {
  const { documents, pairing, room, random } = planning;
  const { sentences } = documents;
  const { first, end } = sentencesOf(documents, document);
  if (end - first < 2) return;
  for (let sentence = first; sentence < end; ) {
    const start = Math.min(sentence, end - 2); // a last sentence left alone is gathered with the one before it
    const target = random.uniform() < SHORT_PROBABILITY ? 2 + random.below(room - 1) : room;
    const gathered = gather(sentences, { start, least: 2, end, target });
    const middle = start + 1 + random.below(gathered - start - 1);
    const a = { start: sentences[start], end: sentences[middle] };
    const rest = { start: sentences[middle], end: sentences[gathered] };
    if (random.below(2) === 0) {
      addPair(planning, a, rest, 0);
      sentence = gathered;
    } else if (pairing === "sentence-order") {
      addPair(planning, rest, a, 1);
      sentence = gathered;
    } else {
      addPair(planning, a, randomSegment(planning, document, target - (a.end - a.start)), 1);
      sentence = middle; // the rest is put back
    }
  }
}

/** Sentences from any place of any other document, at least one: up to the target, or to the document's end. */
function randomSegment({ documents, random }: Planning, document: number, target: number): Range {
  const drawn = random.below(countDocuments(documents) - 1); // of the others, so that none is likelier than another
  const { first, end } = sentencesOf(documents, drawn < document ? drawn : drawn + 1);
  const start = first + random.below(end - first);
  const { sentences } = documents;
  return { start: sentences[start], end: sentences[gather(sentences, { start, least: 1, end, target })] };
}

interface Gathering {
  readonly start: number;
  readonly least: number;
  readonly end: number;
  readonly target: number;
}

/** The sentence before which to stop, so that those from `start` on reach the target, are `least` or more, or end. */
function gather(sentences: Uint32Array, { start, least, end, target }: Gathering): number {
  let stop = start + least;
  while (stop < end && sentences[stop] - sentences[start] < target) stop++;
  return stop;
}

/**
 * Adds a pair, cut to the room. Cutting one token at a time from the longer segment, B where both are alike, leaves A
 * at least the larger half. Segments are swapped before, or their lengths would tell which of them came first.
 */
function addPair({ room, random, rows }: Planning, a: Range, b: Range, label: 0 | 1): void {
  const keptA = Math.min(a.end - a.start, Math.max(room - (b.end - b.start), Math.ceil(room / 2)));
  const keptB = Math.min(b.end - b.start, room - keptA);
  rows.add(cut(a, keptA, random), cut(b, keptB, random), label);
}

/** Takes tokens from either end, each from the front or the back as a coin says, until so many are kept. */
function cut({ start, end }: Range, kept: number, random: Random): Range {
  const front = start + heads(end - start - kept, random);
  return { start: front, end: front + kept };
}

/** How many of some fair coins fall heads: set bits, 32 coins at a time. */
function heads(coins: number, random: Random): number {
  let count = 0;
  for (; coins > 0; coins -= 32) {
    let bits = random.uint32() >>> Math.max(0, 32 - coins);
    bits -= (bits >>> 1) & 0x55555555; // the usual parallel count: pairs of bits, then fours, then bytes
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}

/** The plan as it grows. */
class PlanRows {
  #length = 0;
  #ranges = new Uint32Array(4 * 1024);
  #labels = new Uint8Array(1024);

  add(a: Range, b: Range, label: 0 | 1): void {
    const row = this.#length++;
    if (row === this.#labels.length) this.#grow();
    const ranges = this.#ranges;
    ranges[4 * row] = a.start;
    ranges[4 * row + 1] = a.end;
    ranges[4 * row + 2] = b.start;
    ranges[4 * row + 3] = b.end;
    this.#labels[row] = label;
  }

  /** The rows so far, in arrays no longer than they are. */
  finish(): Pick<SequencePlan, "length" | "ranges" | "labels"> {
    const length = this.#length;
    return { length, ranges: this.#ranges.slice(0, 4 * length), labels: this.#labels.slice(0, length) };
  }

  #grow(): void {
    const ranges = new Uint32Array(2 * this.#ranges.length);
    const labels = new Uint8Array(2 * this.#labels.length);
    ranges.set(this.#ranges);
    labels.set(this.#labels);
    this.#ranges = ranges;
    this.#labels = labels;
  }
}

function sentencesOf({ documents }: Documents, document: number): { first: number; end: number } {
  return { first: documents[document], end: documents[document + 1] };
}

function countLoneSentences(documents: Documents): number {
  let count = 0;
  for (let document = 0; document < countDocuments(documents); document++) {
    const { first, end } = sentencesOf(documents, document);
    if (end - first === 1) count++;
  }
  return count;
}

/** The shortest limit that leaves room for a token in each segment, beside the special ones. */
export function leastLength(pairing: Pairing): number {
  return specialTokens(pairing) + (pairing === "none" ? 1 : 2);
}

/** Tokens of a sequence that are not special. Throws OPTION_INVALID where that is none for a segment. */
function roomOf({ pairing, maxLength }: PlanOptions): number {
  const least = leastLength(pairing);
  if (Number.isInteger(maxLength) && maxLength >= least) return maxLength - specialTokens(pairing);
  throw new ClozeError("OPTION_INVALID", {
    problem: `maxLength leaves no room for text beside the ${specialTokens(pairing)} special tokens of a sequence`,
    expected: `an integer of ${least} or more`,
    received: `${maxLength}`,
  });
}

/** Throws CORPUS_TOO_SMALL. */
function requireCorpus(documents: Documents, pairing: Pairing, unpairable: number): void {
  const count = countDocuments(documents);
  const least = pairing === "next-sentence" ? 2 : 1;
  if (count < least) {
    throw new ClozeError("CORPUS_TOO_SMALL", {
      problem: `the corpus has too few documents for sequences of the kind "${pairing}"`,
      expected: pairing === "next-sentence" ? "2 documents or more, as a random B is of another one" : "a document",
      received: `${count}`,
      cure:
        pairing === "next-sentence"
          ? "Give more documents, with an empty line between them, or use --pairs none or --pairs sentence-order."
          : "Give a corpus that holds text.",
    });
  }
  if (unpairable === count) {
    throw new ClozeError("CORPUS_TOO_SMALL", {
      problem: "no document of the corpus has the two sentences that a pair is made of",
      expected: "a document of 2 sentences or more",
      received: count === 1 ? "a document of a single sentence" : `${count} documents of a single sentence each`,
      cure: "Give one sentence a line and an empty line only between documents, or use --pairs none.",
    });
  }
}
