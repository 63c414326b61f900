import { z } from "zod";
import { convertTags, detectScheme, entitiesOf, TAG_SCHEMES, type TagScheme } from "../../data/tag-schemes.ts";
import { bestPlaces } from "../../data/windows.ts";
import { vector } from "../../graph/executor.ts";
import { tokenClassification as tokenHead } from "../../heads/token-classification.ts";
import { entityScores } from "../../metrics/entity-scores.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { softmax } from "../run/softmax.ts";
import { indexOfMax } from "../run/top-k.ts";
import { labelIndex, labelsOf } from "./labels.ts";
import type { Feature, Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";

/** A text, or its words where they are known beforehand. */
export type WordsOrText = string | readonly string[];

/** A token of a text with what the model says of it. */
export interface TokenScores {
  /** As in the vocabulary: a word, or a piece that continues one with `##`. */
  readonly token: string;
  /** Which word of the text it belongs to, from 0. */
  readonly word: number;
  /** Its place, `text.slice(start, end)`; within its word where the words were given. */
  readonly start: number;
  readonly end: number;
  /** Of each label. */
  readonly probabilities: Float32Array;
}

const reading = z.object({
  separator: z.enum(["tab", "space"]).optional().describe("what stands between columns (default: what the file has)"),
  tokenColumn: z.int().default(0).describe("column of the token, from 0; from the end if negative"),
  tagColumn: z.int().default(-1).describe("column of the tag, from 0; from the end if negative"),
});

export type TaggingReading = z.infer<typeof reading>;

/** Tags that spell no entities out, such as parts of speech. */
const PLAIN = "plain";

const settings = z.object({
  scheme: z
    .enum([...TAG_SCHEMES, PLAIN])
    .default("IOB2")
    .describe("how tags spell entities out, into which those of files are turned; plain if they spell none"),
  stride: z.int().min(0).default(32).describe("tokens that windows over a long text have in common"),
});

/**
 * A label for each word, such as named entities or parts of speech (Devlin et al. 2019, section 5.3): that of its first
 * token. A long text is read in windows; each token is judged where most is seen around it.
 */
export const tokenClassification = {
  name: "token-classification",
  summary: "a label for each word: named entities, parts of speech",
  example: "token-classification --train train.conll --dev dev.conll --output model",
  usage: '"some text"',
  architecture: "BertForTokenClassification",
  windowed: true,
  reading,
  settings,

  settle({ examples }, chosen) {
    if (chosen.scheme === PLAIN) return chosen;
    const isPlain = detectScheme(examples.map(({ gold }) => gold)) === PLAIN;
    return isPlain ? { ...chosen, scheme: PLAIN } : chosen;
  },

  labels({ examples, file }, { scheme }) {
    if (scheme === PLAIN)
      return labelsOf(
        examples.flatMap(({ gold }) => gold),
        file,
      );
    return labelsOf(
      [
        "O",
        ...allTags(
          examples.flatMap(({ gold }) => entitiesOf(gold).map(({ type }) => type)),
          scheme,
        ),
      ],
      file,
    );
  },

  head: (config, { labels }) => tokenHead(config, { labels: labels.length }),

  encode: (input, { tokenizer, maxLength, settings: { stride } }) =>
    tokenizer.encodeWindows(input, { maxLength, stride }),

  features({ gold, place }, encodings, { labels, settings: { stride, scheme } }) {
    const indexes = converted(gold, labels, scheme).map((tag) => labelIndex(tag, labels, place));
    const targets = encodings.map(({ length }) => new Int32Array(length).fill(UNLABELLED));
    for (const { window, at, word, isFirst } of tokensOf(encodings, stride)) {
      if (isFirst) targets[window][at] = indexes[word];
    }
    return encodings.map((sequence, window) => ({ sequences: [sequence], target: targets[window], place }));
  },

  targets(part, batch) {
    const count = batch.reduce((sum, { target }) => sum + labelled(target), 0);
    const targets = part.flatMap(({ target }) => Array.from(target)); // [T]
    return {
      labels: vector(Int32Array.from(targets, (label) => Math.max(label, 0))),
      weights: vector(Float32Array.from(targets, (label) => (label === UNLABELLED ? 0 : 1 / Math.max(1, count)))),
    };
  },

  decode(_input, encodings, logits, { labels: { length: K }, settings: { stride } }): TokenScores[] {
    return tokensOf(encodings, stride).map(({ window, at, word }) => {
      const { tokens, offsets } = encodings[window];
      const [start, end] = offsets.subarray(2 * at, 2 * at + 2);
      const probabilities = softmax(logits[window].subarray(at * K, (at + 1) * K));
      return { token: tokens[at], word, start, end, probabilities };
    });
  },

  /** Precision, recall and F1 of entities as conlleval has them, for plain tags accuracy alone; the score is F1 or that. */
  score(examples, answers, { labels, settings: { scheme } }) {
    const gold = examples.map((example) => converted(example.gold, labels, scheme));
    const predicted = answers.map((tokens, i) => wordLabels(tokens, labels, gold[i].length));
    if (scheme === PLAIN || !tellEntities(labels)) {
      const words = gold.flat();
      const right = predicted.flat().filter((label, i) => label === words[i]).length;
      const accuracy = right / Math.max(1, words.length);
      return { score: accuracy, metrics: { examples: examples.length, words: words.length, accuracy } };
    }
    const { tokenAccuracy, micro, macro, weighted, types } = entityScores({ gold, predicted });
    const { support: entities, ...figures } = micro;
    const metrics = { examples: examples.length, entities, ...figures, macroF1: macro.f1, weightedF1: weighted.f1 };
    return { score: micro.f1, metrics: { ...metrics, tokenAccuracy, perType: types } };
  },
} as const satisfies Task<WordsOrText, readonly string[], TokenScores[], typeof reading, typeof settings>;

export type TokenClassifier = TaskModelOf<typeof tokenClassification>;

/** Whether labels are tags of entities, as `detectScheme` has it: with a prefix, or nothing but prefixes. */
function tellEntities(labels: readonly string[]): boolean {
  return labels.some((label) => /^[BIES]-/.test(label)) || labels.every((label) => /^[BIESO]$/.test(label));
}

/** The target of a token that no label belongs to: a special one, or a word's second. */
const UNLABELLED = -1;

/** Tags as the model has them. Models of others may be plain without saying so. */
function converted(
  tags: readonly string[],
  labels: readonly string[],
  scheme: TagScheme | typeof PLAIN,
): readonly string[] {
  return scheme === PLAIN || !tellEntities(labels) ? tags : convertTags(tags, scheme);
}

/** Every tag of some types, whether it occurs or not: a rare one may be met in other files alone. */
function allTags(types: readonly string[], scheme: TagScheme): string[] {
  const prefixes = { IO: "I", IOB1: "BI", IOB2: "BI", BIOES: "BEIS" }[scheme];
  return [...new Set(types)].flatMap((type) =>
    [...prefixes].map((prefix) => (type === "" ? prefix : `${prefix}-${type}`)),
  );
}

function labelled(target: Feature["target"]): number {
  let count = 0;
  for (const label of target) if (label !== UNLABELLED) count++;
  return count;
}

interface TextToken {
  readonly window: number;
  /** Its place among the tokens of the window, special ones included. */
  readonly at: number;
  readonly word: number;
  /** Whether no token of its word comes before it. */
  readonly isFirst: boolean;
}

/** The tokens of a text from windows over it, each once. */
function tokensOf(encodings: readonly Encoding[], stride: number): TextToken[] {
  const sizes = encodings.map(({ length }) => ({ length: length - 2 })); // without [CLS] and [SEP]
  let before = -1;
  return bestPlaces(sizes, stride).map(({ window, index }) => {
    const at = index + 1;
    const word = encodings[window].wordIds[at];
    const isFirst = word !== before;
    before = word;
    return { window, at, word, isFirst };
  });
}

/** The label of each word: the likeliest of its first token, the first one there is for a word without tokens. */
export function wordLabels(tokens: readonly TokenScores[], labels: readonly string[], words: number): string[] {
  const outside = labels.includes("O") ? "O" : labels[0];
  const result = new Array<string>(words).fill(outside);
  let before = -1;
  for (const { word, probabilities } of tokens) {
    if (word !== before) result[word] = labels[indexOfMax(probabilities)];
    before = word;
  }
  return result;
}
