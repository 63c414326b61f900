import { z } from "zod";
import { countOf } from "../../base/count-of.ts";
import { ClozeError } from "../../base/errors.ts";
import { quote } from "../../base/quote.ts";
import { bestPlaces, windowStarts } from "../../data/windows.ts";
import { vector } from "../../graph/executor.ts";
import { questionAnswering as answerHead } from "../../heads/question-answering.ts";
import { answerScores } from "../../metrics/answer-scores.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { TokenBuffer } from "../../tokenizer/token-buffer.ts";
import type { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { requireAdvance } from "../../tokenizer/truncate.ts";
import { softmax } from "../run/softmax.ts";
import { topIndices } from "../run/top-k.ts";
import { endOfAccents } from "./accents.ts";
import { shares } from "./class-weights.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";

/** A question about a text. */
export interface Question {
  readonly question: string;
  readonly context: string;
}

/** What answers a question. */
export interface GoldAnswers {
  readonly id: string;
  /** All of them count in figures; those are to be learnt from that have a place, `context.slice(start, end)`. */
  readonly answers: readonly {
    readonly text: string;
    readonly span?: { readonly start: number; readonly end: number };
  }[];
  /** Whether it is known that the context holds no answer. */
  readonly isImpossible: boolean;
}

/** A piece of the context, `context.slice(start, end)`, and its probability among the twenty likeliest (and no answer). */
export interface AnswerSpan {
  readonly answer: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

export interface FoundAnswers {
  /** The likeliest first; empty for a context without text. */
  readonly spans: readonly AnswerSpan[];
  /** Probability that there is no answer, among the same; 0 for models whose questions always have one. */
  readonly noAnswer: number;
  /** By how much no answer is ahead of the best one: the difference of their logits. */
  readonly margin: number;
}

const settings = z.object({
  stride: z
    .int()
    .min(0)
    .optional()
    .describe("tokens that windows over a long context have in common")
    .meta({ trainingDefault: "half of what they hold, at most 128" }),
  maxQuestionLength: z.int().min(1).default(64).describe("tokens of a question at most; longer ones are cut"),
  maxAnswerLength: z.int().min(1).default(30).describe("tokens of an answer at most"),
  unanswerable: z
    .boolean()
    .default(false)
    .describe("questions may have no answer, as in SQuAD 2.0")
    .meta({ trainingDefault: "if some have" }),
  // Devlin's null_score_diff_threshold. Optional, so that one that was given is told from one that is to be found.
  nullThreshold: z
    .number()
    .optional()
    .describe("how far no answer must be ahead of the best one, in logits, to be given")
    .meta({ trainingDefault: "the best for --dev" }),
  topK: z.int().min(1).default(1).describe("answers, best first").meta({ onlyFor: "prediction" }),
});

/**
 * The piece of a text that answers a question (SQuAD 1.1 and 2.0; Devlin et al. 2019, sections 4.2 and 4.3). A long context is
 * read in windows, and an answer begins where most of the context is seen around it.
 */
export const questionAnswering = {
  name: "question-answering",
  summary: "the piece of a text that answers a question, as in SQuAD",
  example: "question-answering --train train-v1.1.json --dev dev-v1.1.json --learning-rate 3e-4 --output model",
  usage: () => '"Who wrote it?" "It was written by Ada."',
  architecture: "BertForQuestionAnswering",
  windowed: true,
  defaultMaxLength: 384,
  reading: z.object({}),
  settings,

  settle: ({ examples }, chosen) => ({
    ...chosen,
    unanswerable: chosen.unanswerable || examples.some(({ gold }) => gold.isImpossible),
  }),

  head: (config) => answerHead(config),

  encode({ question, context }, { tokenizer, maxLength, settings: { stride, maxQuestionLength } }) {
    const asked = askedTokens(tokenizer, question, maxQuestionLength, maxLength);
    if (stride !== undefined) requireAdvance(stride, maxLength - SPECIAL_TOKENS - 1); // what the shortest question leaves
    const overlap = strideOf(maxLength - SPECIAL_TOKENS - asked.length, stride);
    return tokenizer.encodeWindows(asked, { pair: context, maxLength, stride: overlap, truncation: "only_second" });
  },

  /** Whether there are tokens of the question behind those that are asked. */
  cuts({ question }, [{ offsets, sequenceIds }], { tokenizer }) {
    const last = sequenceIds.lastIndexOf(0);
    return tokenizer.ids(question.slice(last < 0 ? 0 : offsets[2 * last + 1])).length > 0;
  },

  /**
   * The first of the right answers that some window holds whole; a window without it is to point at its [CLS]. Without one
   * there is nothing to learn, since the answer may well be there.
   */
  features({ gold: { answers, isImpossible }, place }, encodings, { settings: { stride } }) {
    const places = answers.map(({ span }) => span && tokensOf(span, encodings, stride));
    const targets = isImpossible ? encodings.map(() => CLS) : places.find((windows) => windows?.some(isSpan));
    if (targets === undefined) return [];
    return encodings.map((sequence, i) => ({ sequences: [sequence], target: Int32Array.from(targets[i]), place }));
  },

  targets: (part, batch) => ({
    answers: { data: Int32Array.from(part.flatMap(({ target }) => Array.from(target))), shape: [part.length, 2] },
    weights: vector(shares(part, batch).map((share) => share / 2)),
  }),

  decode: ({ context }, encodings, logits, { settings }) => findAnswers(context, encodings, logits, settings),

  present(found, _question, { settings }) {
    const answers = answersOf(found, settings);
    return {
      ...(settings.topK > 1 ? { answers } : answers[0]),
      ...(settings.unanswerable && { no_answer: found.noAnswer }),
    };
  },

  /**
   * Exact match and F1 by SQuAD's rules, where there may be no answer at the best threshold unless one has been chosen; the
   * score is F1.
   */
  score(examples, answers, { settings: { unanswerable, nullThreshold } }) {
    const questions = examples.map(({ gold }) => gold);
    const byId = <T>(value: (found: FoundAnswers) => T) =>
      new Map(answers.map((found, i) => [questions[i].id, value(found)]));
    const bestSpan = ({ spans }: FoundAnswers) => spans[0]?.answer ?? "";
    const noAnswerScores = byId(({ margin }) => margin);
    const { best } = unanswerable ? answerScores(byId(bestSpan), questions, { noAnswerScores }) : {};
    const threshold = nullThreshold ?? best?.f1Threshold; // the one that the finished model will have
    const predictions = byId((found) => (unanswerable && isNone(found, threshold) ? "" : bestSpan(found)));
    const { total, missing: _missing, unknown: _unknown, ...figures } = answerScores(predictions, questions);
    return { score: figures.f1, metrics: { examples: total, ...figures, ...(best && { best }) } };
  },

  conclude(chosen, metrics) {
    const found = z.object({ best: z.object({ f1Threshold: z.number() }) }).safeParse(metrics);
    const { unanswerable, nullThreshold = found.data?.best.f1Threshold } = chosen;
    return unanswerable ? { ...chosen, nullThreshold } : chosen;
  },
} as const satisfies Task<Question, GoldAnswers, FoundAnswers, z.ZodObject, typeof settings>;

export type QuestionAnswerer = TaskModelOf<typeof questionAnswering>;

/** Spans that an answer's probability is among (Devlin's `n_best_size`). */
const CONSIDERED = 20;

/**
 * The best `topK` answers, at least one: that there is none is the empty text from 0 to 0. Of one answer the threshold says
 * whether it is rather none.
 */
export function answersOf(
  found: FoundAnswers,
  { topK, unanswerable, nullThreshold }: Pick<z.infer<typeof settings>, "topK" | "unanswerable" | "nullThreshold">,
): AnswerSpan[] {
  const { spans, noAnswer } = found;
  const none = { answer: "", start: 0, end: 0, score: noAnswer };
  if (spans.length === 0) return [none];
  if (topK === 1) return [unanswerable && isNone(found, nullThreshold) ? none : spans[0]];
  const all = unanswerable ? [...spans, none].sort((a, b) => b.score - a.score) : spans;
  return all.slice(0, topK);
}

/** Whether no answer is far enough ahead; without a threshold, whether it is ahead at all. */
export function isNone({ margin }: FoundAnswers, nullThreshold = 0): boolean {
  return margin > nullThreshold;
}

/**
 * Tokens that windows share which hold `room` tokens of the context. Unless they were told it is half of those, or Devlin's
 * 128 where that is less, as it is with 384 tokens of a sequence: so much fits beside every question.
 */
function strideOf(room: number, told: number | undefined): number {
  return told ?? Math.min(128, Math.floor(room / 2));
}

/**
 * The first tokens of a question, `longest` at most. Throws TRUNCATION_IMPOSSIBLE where they leave a sequence no room for a
 * token of the context.
 */
function askedTokens(tokenizer: BertTokenizer, question: string, longest: number, maxLength: number): TokenBuffer {
  const tokens = new TokenBuffer();
  tokenizer.append(question, tokens);
  const { length, offsets } = tokens;
  const room = maxLength - SPECIAL_TOKENS - 1;
  if (Math.min(length, longest) > room) {
    throw new ClozeError("TRUNCATION_IMPOSSIBLE", {
      problem: `a question leaves no room for its context, with ${maxLength} tokens of a sequence at most`,
      expected: `a question of at most ${countOf(Math.max(0, room), "token")}`,
      received: `${length}: ${quote(question)}`,
      cure: `${room > 0 ? "Lower maxQuestionLength, by which longer questions are cut, or train" : "Train"} with a greater maxLength.`,
    });
  }
  if (length <= longest) return tokens;
  tokens.length = longest;
  // A character of several tokens goes as a whole.
  while (tokens.length > 0 && offsets[2 * tokens.length] < offsets[2 * tokens.length - 1]) tokens.length--;
  return tokens;
}

/** `[CLS] question [SEP] context [SEP]` */
const SPECIAL_TOKENS = 3;

/** The target of a window without the answer: from [CLS] to [CLS]. */
const CLS: readonly [number, number] = [0, 0];

function isSpan([, last]: readonly [first: number, last: number]): boolean {
  return last > 0;
}

/** First and last token of an answer in each window; [CLS] where the window has not all of it. */
function tokensOf(
  { start, end }: { readonly start: number; readonly end: number },
  encodings: readonly Encoding[],
  stride: number | undefined,
): (readonly [number, number])[] {
  const from = encodings[0].sequenceIds.indexOf(1);
  if (from < 0) return [CLS]; // a context without tokens
  const sizes = encodings.map(({ length }) => ({ length: length - 1 - from }));
  const starts = windowStarts(sizes, strideOf(sizes[0].length, stride));
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]; // among all tokens of the context
  encodings.forEach(({ offsets }, window) => {
    for (let i = 0; i < sizes[window].length; i++) {
      if (offsets[2 * (from + i) + 1] <= start || offsets[2 * (from + i)] >= end) continue;
      first = Math.min(first, starts[window] + i);
      last = Math.max(last, starts[window] + i);
    }
  });
  return starts.map((offset, window) => {
    const whole = first <= last && first >= offset && last < offset + sizes[window].length;
    return whole ? [from + first - offset, from + last - offset] : CLS;
  });
}

/** A span of tokens in a window, and the sum of the logits of its ends. */
interface Candidate {
  readonly window: number;
  readonly first: number;
  readonly last: number;
  readonly logit: number;
}

/** The likeliest spans of all windows (Devlin et al. 2019, section 4.2), and how they compare with no answer at all. */
function findAnswers(
  context: string,
  encodings: readonly Encoding[],
  logits: readonly Float32Array[],
  { stride, maxAnswerLength, unanswerable }: z.infer<typeof settings>,
): FoundAnswers {
  // [CLS] of the window that is surest of an answer
  const none = logits.reduce((least, row) => Math.min(least, row[0] + row[1]), Number.POSITIVE_INFINITY);
  const starts = startsOf(encodings, stride);
  const candidates = encodings
    .flatMap((_, window) => candidatesOf(window, logits[window], starts[window], maxAnswerLength))
    .sort((a, b) => b.logit - a.logit);
  const best = distinct(context, candidates, encodings).slice(0, CONSIDERED);
  if (best.length === 0) return { spans: [], noAnswer: unanswerable ? 1 : 0, margin: Number.MAX_VALUE };
  const sums = best.map(({ logit }) => logit);
  const chances = softmax(unanswerable ? [...sums, none] : sums);
  const spans = best.map(({ start, end }, i) => ({ answer: context.slice(start, end), start, end, score: chances[i] }));
  return { spans, noAnswer: unanswerable ? chances[best.length] : 0, margin: none - sums[0] };
}

/**
 * The places of candidates in the context, each once, as its likeliest: where a character became several tokens, as Hangul
 * does, different tokens have the same place. Accents that stand behind the last letter as characters of their own belong to
 * it, whether the tokenizer leaves them out or makes tokens of them.
 */
function distinct(context: string, candidates: readonly Candidate[], encodings: readonly Encoding[]) {
  const places = new Map<string, { readonly start: number; readonly end: number; readonly logit: number }>();
  for (const { window, first, last, logit } of candidates) {
    // In any order: the tokenizer puts the accents of a letter into their own.
    const offsets = encodings[window].offsets.subarray(2 * first, 2 * last + 2);
    const start = Math.min(...offsets);
    const end = endOfAccents(context, Math.max(...offsets));
    const place = `${start} ${end}`;
    if (!places.has(place)) places.set(place, { start, end, logit });
  }
  return [...places.values()];
}

/** Where an answer may begin in a window, and the last token of the context there. */
interface Starts {
  readonly tokens: readonly number[];
  readonly last: number;
}

/** Each token of the context may begin an answer in one window only, where it sees most around it. */
function startsOf(encodings: readonly Encoding[], stride: number | undefined): Starts[] {
  const froms = encodings.map(({ sequenceIds }) => sequenceIds.indexOf(1));
  const starts = encodings.map(({ length }) => ({ tokens: [] as number[], last: length - 2 })); // before the last [SEP]
  if (froms[0] < 0) return starts; // a context without tokens
  const sizes = encodings.map(({ length }, window) => ({ length: length - 1 - froms[window] }));
  const overlap = strideOf(sizes[0].length, stride);
  for (const { window, index } of bestPlaces(sizes, overlap)) starts[window].tokens.push(froms[window] + index);
  return starts;
}

function candidatesOf(window: number, logits: Float32Array, { tokens, last }: Starts, most: number): Candidate[] {
  const longest = Math.min(most, last + 1 - (tokens[0] ?? last));
  const sums = new Float32Array(tokens.length * longest).fill(Number.NEGATIVE_INFINITY);
  tokens.forEach((first, i) => {
    const ends = Math.min(longest, last - first + 1);
    for (let length = 0; length < ends; length++) {
      sums[i * longest + length] = logits[2 * first] + logits[2 * (first + length) + 1];
    }
  });
  return topIndices(sums, CONSIDERED, (index) => sums[index] > Number.NEGATIVE_INFINITY).map((index) => {
    const first = tokens[Math.floor(index / longest)];
    return { window, first, last: first + (index % longest), logit: sums[index] };
  });
}
