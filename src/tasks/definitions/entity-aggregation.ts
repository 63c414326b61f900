import { continues, type TagParts } from "../../data/tag-schemes.ts";
import { indexOfMax } from "../run/top-k.ts";
import { endOfAccents } from "./accents.ts";

/** How the labels of tokens become entities: the names of Hugging Face. */
export const AGGREGATION_STRATEGIES = ["none", "simple", "first", "average", "max"] as const;

export type AggregationStrategy = (typeof AGGREGATION_STRATEGIES)[number];

/** The strategies that make entities of whole words. */
export type GroupingStrategy = Exclude<AggregationStrategy, "none">;

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

/** Where something was found in a text. */
export interface FoundText {
  /** Its probability, 0 to 1. */
  readonly score: number;
  /** As it stands in the text, `text.slice(start, end)`; transformers joins the pieces of the vocabulary instead. */
  readonly word: string;
  /** In UTF-16 code units; of words that were given, in `words.join(" ")`. */
  readonly start: number;
  readonly end: number;
  /** The words that were given from this one up to, and without, `end_word`; absent where a text was. */
  readonly start_word?: number;
  readonly end_word?: number;
}

/** A token with its likeliest label. */
export interface TokenEntity extends FoundText {
  readonly entity: string;
  /** Which token of the text it is, from 1, as if a [CLS] stood before the text. */
  readonly index: number;
}

/** An entity of one word or more. */
export interface EntityGroup extends FoundText {
  /** The label without `B-`, `I-`, `E-` or `S-`. */
  readonly entity_group: string;
}

/** A text with what a model says of its tokens, whose `start` and `end` are places in this text. */
export interface JudgedText {
  readonly text: string;
  readonly tokens: readonly TokenScores[];
  /** Whether its words were given, so that entities are to tell which of them they are. */
  readonly hasWords: boolean;
}

/** A text with its tokens; of words one with blanks between them, and the tokens where they stand in that. */
export function judgedText(input: string | readonly string[], tokens: readonly TokenScores[]): JudgedText {
  if (typeof input === "string") return { text: input, tokens, hasWords: false };
  let next = 0;
  const starts = input.map((word) => {
    const start = next;
    next += word.length + 1;
    return start;
  });
  const moved = tokens.map((token) => {
    const by = starts[token.word];
    return { ...token, start: by + token.start, end: by + token.end };
  });
  return { text: input.join(" "), tokens: moved, hasWords: true };
}

/** What there is in a text by a strategy: with "none" tokens, else entities of whole words. */
export function findEntities(
  judged: JudgedText,
  labels: readonly string[],
  strategy: AggregationStrategy,
  ignore?: readonly string[],
): TokenEntity[] | EntityGroup[] {
  return strategy === "none" ? labelTokens(judged, labels, ignore) : groupEntities(judged, labels, strategy, ignore);
}

/** Labels to leave out if no others are named. */
const IGNORED: readonly string[] = ["O"];

/** Strategy "none": each token with its likeliest label, but for those with a label that is to be ignored. */
export function labelTokens(
  judged: JudgedText,
  labels: readonly string[],
  ignore: readonly string[] = IGNORED,
): TokenEntity[] {
  return judged.tokens.flatMap((token, i) => {
    const best = indexOfMax(token.probabilities);
    if (ignore.includes(labels[best])) return [];
    const { score, ...place } = found(judged, { first: i, end: i + 1 }, token.probabilities[best]);
    return [{ entity: labels[best], score, index: i + 1, ...place }];
  });
}

/**
 * Entities by one of Hugging Face's strategies, which differ in how a word of several tokens gets its label: "simple" and
 * "first" by its first token, "average" by the mean of the probabilities, "max" by the token that is surest. A word goes on
 * with the entity before it if the type is the same and it does not begin one by `B-` or `S-`, nor follows an `E-` or `S-`.
 * Labels without such prefixes, as of parts of speech, are types, and neighbours of one type a group, as in transformers.
 * The score is the mean over the words, for "simple" over the tokens. `ignore` holds types.
 *
 * Three things differ from transformers. "simple" never splits a word: of a token that disagrees with the first it counts
 * the best probability of a label of the entity's type. `E-` and `S-` are prefixes too. An entity keeps accents that stand
 * behind its last letter as characters of their own and that the tokenizer leaves out.
 */
export function groupEntities(
  judged: JudgedText,
  labels: readonly string[],
  strategy: GroupingStrategy,
  ignore: readonly string[] = IGNORED,
): EntityGroup[] {
  const { text, tokens } = judged;
  const tags = parseTags(labels);
  const groups: Group[] = [];
  let previous: TagParts | undefined;
  for (const { first, end } of wordsOf(tokens)) {
    const { label, scores } = LABELLERS[strategy](tokens.slice(first, end), tags);
    const tag = tags[label];
    if (previous !== undefined && continues(previous, tag)) {
      const group = groups[groups.length - 1];
      group.end = end;
      group.scores.push(...scores);
    } else {
      groups.push({ type: tag.type, first, end, scores });
    }
    previous = tag;
  }
  return groups
    .filter(({ type }) => !ignore.includes(type))
    .map(({ type, scores, ...range }) => {
      const { start, end, ...rest } = found(judged, range, mean(scores));
      const accented = endOfAccents(text, end, tokens[range.end]?.start);
      return { entity_group: type, ...rest, word: text.slice(start, accented), start, end: accented };
    });
}

/** Tokens [first, end). */
interface TokenRun {
  readonly first: number;
  readonly end: number;
}

interface Group {
  readonly type: string;
  readonly first: number;
  end: number;
  readonly scores: number[];
}

/**
 * Labels that are prefixes alone tell entities of one type, which has no name. A label without a prefix goes on with what is
 * alike, as one with `I-` does.
 */
function parseTags(labels: readonly string[]): TagParts[] {
  const bare = labels.every((label) => /^[BIESO]$/.test(label));
  return labels.map((label) => {
    const match = (bare ? /^([BIES])(.*)$/s : /^([BIES])-(.*)$/s).exec(label);
    return match === null ? { prefix: "I", type: label } : { prefix: match[1], type: match[2] };
  });
}

/** What a word is, as an index of the labels, and how sure that is: numbers for the mean of its entity. */
interface WordLabel {
  readonly label: number;
  readonly scores: number[];
}

const LABELLERS: Record<GroupingStrategy, (pieces: readonly TokenScores[], tags: readonly TagParts[]) => WordLabel> = {
  simple(pieces, tags) {
    const label = indexOfMax(pieces[0].probabilities);
    const { type } = tags[label];
    const best = ({ probabilities }: TokenScores) => Math.max(...probabilities.filter((_, k) => tags[k].type === type));
    return { label, scores: pieces.map(best) };
  },
  first: ([{ probabilities }]) => likeliest(probabilities),
  average: (pieces) =>
    likeliest(pieces[0].probabilities.map((_, k) => mean(pieces.map(({ probabilities }) => probabilities[k])))),
  max: (pieces) =>
    pieces.map(({ probabilities }) => likeliest(probabilities)).reduce((a, b) => (b.scores[0] > a.scores[0] ? b : a)),
};

function likeliest(probabilities: Float32Array): WordLabel {
  const label = indexOfMax(probabilities);
  return { label, scores: [probabilities[label]] };
}

function wordsOf(tokens: readonly TokenScores[]): TokenRun[] {
  const words: { first: number; end: number }[] = [];
  tokens.forEach(({ word }, i) => {
    if (i > 0 && word === tokens[i - 1].word) words[words.length - 1].end = i + 1;
    else words.push({ first: i, end: i + 1 });
  });
  return words;
}

function found({ text, tokens, hasWords }: JudgedText, { first, end }: TokenRun, score: number): FoundText {
  let [from, to] = [text.length, 0];
  for (const token of tokens.slice(first, end)) {
    from = Math.min(from, token.start); // not always the first's: the tokenizer puts marks of a letter into their order
    to = Math.max(to, token.end);
  }
  const place = { score, word: text.slice(from, to), start: from, end: to };
  return hasWords ? { ...place, start_word: tokens[first].word, end_word: tokens[end - 1].word + 1 } : place;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
