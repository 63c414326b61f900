import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { quote, quoteSome } from "../../base/quote.ts";
import {
  convertTags,
  detectScheme,
  entitiesOf,
  invalidTransitions,
  type PlaceOf,
  TAG_SCHEMES,
  type TagScheme,
} from "../../data/tag-schemes.ts";
import { bestPlaces } from "../../data/windows.ts";
import { malformedRow } from "../../formats/table-row.ts";
import { vector } from "../../graph/executor.ts";
import { tokenClassification as tokenHead } from "../../heads/token-classification.ts";
import { classificationReport } from "../../metrics/classification.ts";
import { confusionFigure, confusionMatrix } from "../../metrics/confusion-matrix.ts";
import { entityScores } from "../../metrics/entity-scores.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { Evaluation } from "../../train/trainable.ts";
import { softmax } from "../run/softmax.ts";
import { indexOfMax } from "../run/top-k.ts";
import { tokenShares, UNLABELLED, weighTokens } from "./class-weights.ts";
import { AGGREGATION_STRATEGIES, findEntities, judgedText, type TokenScores } from "./entity-aggregation.ts";
import { labelsOf } from "./labels.ts";
import type { HeadContext, Task, TaskContext } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import { stride, strideOf } from "./text-windows.ts";

/** A text, or its words where they are known beforehand. */
export type WordsOrText = string | readonly string[];

/** The tags of a sentence's words, as its file has them. */
export interface GoldTags {
  readonly tags: readonly string[];
  /** Where a word's tag stands, for messages: "train.conll, line 7". */
  readonly placeOf: PlaceOf;
}

const reading = z.object({
  separator: z
    .string()
    .regex(/^[^\r\n]+$/, "a separator is text without line ends")
    .optional()
    .describe("between columns: tab, space, whitespace, or a text as , (default: tab if the file has one, else space)"),
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
    .describe("how tags spell entities out, into which those of files are turned; plain if they spell none")
    .meta({ onlyFor: "training" }),
  classWeights: z
    .string()
    .optional()
    .describe('weights of labels in the loss: "balanced", or B-PER=2,O=0.5')
    .meta({ onlyFor: "training" }),
  stride,
  aggregationStrategy: z
    .enum(AGGREGATION_STRATEGIES)
    .default("simple")
    .describe("how tokens become entities")
    .meta({ onlyFor: "prediction" }),
});

/**
 * A label for each word, such as named entities or parts of speech (Devlin et al. 2019, section 5.3): that of its first
 * token. A long text is read in windows; each token is judged where most is seen around it.
 */
export const tokenClassification = {
  name: "token-classification",
  summary: "a label for each word: named entities, parts of speech",
  example: "token-classification --train train.conll --dev dev.conll --learning-rate 3e-4 --output model",
  usage: () => '"some text"',
  architecture: "BertForTokenClassification",
  windowed: true,
  reading,
  settings,

  settle({ examples }, chosen) {
    const isPlain = detectScheme(examples.map(({ gold }) => gold.tags)) === PLAIN;
    return isPlain ? { ...chosen, scheme: PLAIN } : chosen;
  },

  labels({ examples, file }, { scheme }) {
    const tags = scheme === PLAIN ? examples.flatMap(({ gold }) => gold.tags) : allTags(typesOf(examples), scheme);
    return labelsOf(tags, file, "--tag-column");
  },

  head: (config, { labels }) => tokenHead(config, { labels: labels.length }),

  encode(input, context) {
    const { tokenizer, maxLength } = context;
    return tokenizer.encodeWindows(input, { maxLength, stride: overlapOf(context) });
  },

  features({ gold, place }, encodings, context) {
    const indexes = labelIndexes(gold, context);
    const targets = encodings.map(({ length }) => new Int32Array(length).fill(UNLABELLED));
    for (const { window, at, word, isFirst } of tokensOf(encodings, overlapOf(context))) {
      if (isFirst) targets[window][at] = indexes[word];
    }
    return encodings.map((sequence, window) => ({ sequences: [sequence], target: targets[window], place }));
  },

  weigh: (features, { labels, settings: { classWeights } }) =>
    classWeights === undefined ? features : weighTokens(features, labels, classWeights),

  targets(part, batch) {
    const targets = part.flatMap(({ target }) => Array.from(target)); // [T]
    return {
      labels: vector(Int32Array.from(targets, (label) => (label === UNLABELLED ? 0 : label))),
      weights: vector(tokenShares(part, batch)),
    };
  },

  decode(_input, encodings, logits, context): TokenScores[] {
    const { length: K } = context.labels;
    return tokensOf(encodings, overlapOf(context)).map(({ window, at, word }) => {
      const { tokens, offsets } = encodings[window];
      const [start, end] = offsets.subarray(2 * at, 2 * at + 2);
      const probabilities = softmax(logits[window].subarray(at * K, (at + 1) * K));
      return { token: tokens[at], word, start, end, probabilities };
    });
  },

  /** The entities of a text and, where its words were given, the tag of each. */
  present(tokens, input, { labels, settings: { aggregationStrategy } }) {
    const entities = findEntities(judgedText(input, tokens), labels, aggregationStrategy);
    return typeof input === "string" ? { entities } : { tags: wordLabels(tokens, labels, input.length), entities };
  },

  /** Of entities precision, recall and F1 as conlleval has them, of plain tags those of each label; the score is F1 or accuracy. */
  score(examples, answers, context) {
    const { labels } = context;
    const scheme = schemeOf(context);
    const gold = examples.map((example) => labelIndexes(example.gold, context));
    const predicted = answers.map((tokens, i) => wordLabels(tokens, labels, gold[i].length));
    if (scheme === PLAIN) return plainReport(gold.flat(), predicted.flat(), { examples: examples.length, labels });
    const goldTags = gold.map((indexes) => indexes.map((index) => labels[index]));
    const { tokenAccuracy, micro, macro, weighted, types } = entityScores({ gold: goldTags, predicted });
    const { support: entities, ...figures } = micro;
    const invalid = predicted.reduce((sum, tags) => sum + invalidTransitions(tags, scheme).length, 0);
    const metrics = { examples: examples.length, entities, ...figures, macroF1: macro.f1, weightedF1: weighted.f1 };
    return { score: micro.f1, metrics: { ...metrics, tokenAccuracy, invalidTransitions: invalid, perType: types } };
  },
} as const satisfies Task<WordsOrText, GoldTags, TokenScores[], typeof reading, typeof settings>;

export type TokenClassifier = TaskModelOf<typeof tokenClassification>;

type TaggingContext = HeadContext<z.infer<typeof settings>>;

/** Tokens that windows share: all windows have room for as many but for [CLS] and [SEP]. Throws TRUNCATION_IMPOSSIBLE. */
function overlapOf({ maxLength, settings: { stride } }: TaskContext<z.infer<typeof settings>>): number {
  return strideOf(stride, maxLength - 2);
}

/** The scheme of a model's labels, which models of others do not tell otherwise; `B-` alone leaves it to the setting. */
function schemeOf({ labels, settings: { scheme } }: TaggingContext): TagScheme | typeof PLAIN {
  if (scheme === PLAIN || !tellEntities(labels)) return PLAIN;
  if (labels.some((label) => /^[ES](-|$)/.test(label))) return "BIOES";
  return labels.some((label) => /^B(-|$)/.test(label)) ? scheme : "IO";
}

/** Whether labels are tags of entities: with a prefix, or nothing but prefixes. */
function tellEntities(labels: readonly string[]): boolean {
  return labels.some((label) => /^[BIES]-/.test(label)) || labels.every((label) => /^[BIESO]$/.test(label));
}

/**
 * The label of each word, as an index: its tag, in the model's scheme. Throws ROW_MALFORMED and LABEL_UNKNOWN with the
 * place of the tag.
 */
function labelIndexes({ tags, placeOf }: GoldTags, context: TaggingContext): number[] {
  const { labels } = context;
  const scheme = schemeOf(context);
  const converted = scheme === PLAIN ? tags : convertTags(tags, scheme, placeOf);
  return converted.map((tag, word) => {
    const index = labels.indexOf(tag);
    if (index >= 0) return index;
    throw new ClozeError("LABEL_UNKNOWN", {
      problem: `${placeOf(word)} has a tag that the model does not know`,
      expected: quoteSome(labels, 10),
      received: quote(tags[word]) + (tag === tags[word] ? "" : `, which is ${quote(tag)} in ${scheme}`),
      cure: "Correct the tag, or train with data in which it occurs.",
    });
  });
}

/**
 * The types of the entities that examples have; a prefix alone is a type of its own, which may not stand beside others.
 * Throws ROW_MALFORMED.
 */
function typesOf(examples: readonly { readonly gold: GoldTags }[]): Set<string> {
  const odd = oddTag(examples);
  if (odd !== undefined) {
    throw malformedRow(odd.place, "a tag without a prefix, as most are", quote(odd.tag), {
      cure: "Correct it, or take all tags as they are with --scheme plain.",
    });
  }
  const entities = examples.flatMap(({ gold }) =>
    entitiesOf(gold.tags, gold.placeOf).map(({ type, start }) => ({ type, gold, start })),
  );
  const types = new Set(entities.map(({ type }) => type));
  const untyped = types.size === 1 ? undefined : entities.find(({ type }) => type === "");
  if (untyped === undefined) return types;
  const { gold, start } = untyped;
  const expected = "the type of an entity after its prefix, as in other lines";
  throw malformedRow(gold.placeOf(start), expected, quote(gold.tags[start]));
}

/** The first tag with a prefix, where most of the others but `O` have none. */
function oddTag(examples: readonly { readonly gold: GoldTags }[]) {
  const tags = examples.flatMap(({ gold }) => gold.tags.map((tag, word) => ({ tag, place: () => gold.placeOf(word) })));
  const odd = tags.filter(({ tag }) => /^[A-Z]-./i.test(tag));
  const plain = tags.filter(({ tag }) => /^[^-]{2}/.test(tag));
  return odd.length > 0 && odd.length < plain.length ? { tag: odd[0].tag, place: odd[0].place() } : undefined;
}

/** Every tag of some types, whether it occurs or not: a rare one may be met in other files alone. */
function allTags(types: ReadonlySet<string>, scheme: TagScheme): string[] {
  const prefixes = { IO: "I", IOB1: "BI", IOB2: "BI", BIOES: "BEIS" }[scheme];
  const ofType = (type: string) => Array.from(prefixes, (prefix) => (type === "" ? prefix : `${prefix}-${type}`));
  return ["O", ...Array.from(types).flatMap(ofType)];
}

/** Figures over words with one label each. */
function plainReport(
  gold: readonly number[],
  predicted: readonly string[],
  { examples, labels }: { readonly examples: number; readonly labels: readonly string[] },
): Evaluation {
  const indexes = predicted.map((label) => labels.indexOf(label));
  const confusion = confusionMatrix({ predicted: indexes, gold, labelCount: labels.length });
  const { labels: perLabel, ...figures } = classificationReport(confusion);
  const metrics = { examples, words: gold.length, ...figures, perLabel };
  return { score: figures.accuracy, metrics: { ...metrics, ...confusionFigure(confusion) } };
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

/** The label of each word: the likeliest of its first token; `O`, or else the first there is, for a word without tokens. */
function wordLabels(tokens: readonly TokenScores[], labels: readonly string[], words: number): string[] {
  const outside = labels.includes("O") ? "O" : labels[0];
  const result = new Array<string>(words).fill(outside);
  let before = -1;
  for (const { word, probabilities } of tokens) {
    if (word !== before) result[word] = labels[indexOfMax(probabilities)];
    before = word;
  }
  return result;
}
