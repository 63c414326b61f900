import { z } from "zod";
import { bestPlaces } from "../data/windows.ts";
import { vector } from "../graph/executor.ts";
import { questionAnswering as answerHead } from "../heads/question-answering.ts";
import { answerScores } from "../metrics/answer-scores.ts";
import type { Encoding } from "../tokenizer/encoding.ts";
import type { BertTokenizer } from "../tokenizer/tokenizer.ts";
import { shares } from "./class-weights.ts";
import { softmax } from "./softmax.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";
import { topIndices } from "./top-k.ts";

/** A question about a text. */
export interface Question {
  readonly question: string;
  readonly context: string;
}

/** What answers a question: the right pieces of the context, none where there is no answer. */
export interface GoldAnswers {
  readonly id: string;
  readonly answers: readonly { readonly text: string; readonly start: number; readonly end: number }[];
}

/** A piece of the context, `context.slice(start, end)`, and its probability among all that were considered. */
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
  stride: z.int().min(0).default(128).describe("tokens that windows over a long context have in common"),
  maxQuestionLength: z.int().min(1).default(64).describe("tokens of a question at most; longer ones are cut"),
  maxAnswerLength: z.int().min(1).default(30).describe("tokens of an answer at most"),
  unanswerable: z
    .boolean()
    .default(false)
    .describe("questions may have no answer, as in SQuAD 2.0 (default: if some have)"),
  threshold: z.number().default(0).describe("margin above which there is no answer (default: the best for --dev)"),
});

/**
 * The piece of a text that answers a question (SQuAD 1.1 and 2.0; Devlin et al. 2019, sections 4.2 and 4.3). A long context is
 * read in windows, and an answer begins where most of the context is seen around it.
 */
export const questionAnswering = {
  name: "question-answering",
  summary: "the piece of a text that answers a question, as in SQuAD",
  example: "question-answering --train train-v1.1.json --dev dev-v1.1.json --output model",
  architecture: "BertForQuestionAnswering",
  windowed: true,
  defaultMaxLength: 384,
  reading: z.object({}),
  settings,

  settle: ({ examples }, chosen) => ({
    ...chosen,
    unanswerable: chosen.unanswerable || examples.some(({ gold }) => gold.answers.length === 0),
  }),

  head: (config) => answerHead(config),

  encode({ question, context }, { tokenizer, maxLength, settings: { stride, maxQuestionLength } }) {
    const asked = cutQuestion(tokenizer, question, maxQuestionLength);
    return tokenizer.encodeWindows(asked, { pair: context, maxLength, stride, truncation: "only_second" });
  },

  /** The first of the right answers; a window without it is to point at its [CLS]. */
  features: ({ gold: { answers }, place }, encodings) =>
    encodings.map((sequence) => ({
      sequences: [sequence],
      target: Int32Array.from(answers.length > 0 ? tokensOf(answers[0], sequence) : [0, 0]),
      place,
    })),

  targets: (part, batch) => ({
    answers: { data: Int32Array.from(part.flatMap(({ target }) => Array.from(target))), shape: [part.length, 2] },
    weights: vector(shares(part, batch).map((share) => share / 2)),
  }),

  decode: ({ context }, encodings, logits, { settings }) => findAnswers(context, encodings, logits, settings),

  /** Exact match and F1 by SQuAD's rules; the score is F1, where there may be no answer that of the best threshold. */
  score(examples, answers, { settings: { unanswerable, threshold } }) {
    const questions = examples.map(({ gold }) => gold);
    const predictions = new Map(
      answers.map(({ spans, margin }, i) => {
        const isNone = unanswerable && margin > threshold;
        return [questions[i].id, isNone ? "" : (spans[0]?.answer ?? "")];
      }),
    );
    const bestSpans = new Map(answers.map(({ spans }, i) => [questions[i].id, spans[0]?.answer ?? ""]));
    const { total, missing: _missing, unknown: _unknown, ...figures } = answerScores(predictions, questions);
    if (!unanswerable) return { score: figures.f1, metrics: { examples: total, ...figures } };
    const noAnswerScores = new Map(answers.map(({ margin }, i) => [questions[i].id, margin]));
    const { best } = answerScores(bestSpans, questions, { noAnswerScores });
    return { score: best?.f1 ?? figures.f1, metrics: { examples: total, ...figures, best } };
  },

  conclude(chosen, metrics) {
    const found = z.object({ best: z.object({ f1Threshold: z.number() }) }).safeParse(metrics);
    return found.success && chosen.unanswerable ? { ...chosen, threshold: found.data.best.f1Threshold } : chosen;
  },
} as const satisfies Task<Question, GoldAnswers, FoundAnswers, z.ZodObject, typeof settings>;

export type QuestionAnswerer = TaskModelOf<typeof questionAnswering>;

/** Spans that an answer's probability is among (Devlin's `n_best_size`). */
const CONSIDERED = 20;

/** A question of so many tokens at most. */
function cutQuestion(tokenizer: BertTokenizer, question: string, maxLength: number): string {
  const { length, offsets } = tokenizer.encode(question, { addSpecialTokens: false });
  return length <= maxLength ? question : question.slice(0, offsets[2 * maxLength - 1]);
}

/** First and last token of an answer in a window, or twice that of [CLS] where the window has not all of it. */
function tokensOf(
  { start, end }: { start: number; end: number },
  { offsets, sequenceIds }: Encoding,
): [number, number] {
  const from = sequenceIds.indexOf(1);
  const to = sequenceIds.lastIndexOf(1);
  if (from < 0 || offsets[2 * from] > start || offsets[2 * to + 1] < end) return [0, 0];
  let first = from;
  while (first < to && offsets[2 * first + 1] <= start) first++;
  let last = to;
  while (last > first && offsets[2 * last] >= end) last--;
  return [first, last];
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
  const none = Math.min(...logits.map((row) => row[0] + row[1])); // [CLS] of the window that is surest of an answer
  const starts = startsOf(encodings, stride);
  const best = encodings
    .flatMap((_, window) => candidatesOf(window, logits[window], starts[window], maxAnswerLength))
    .sort((a, b) => b.logit - a.logit)
    .slice(0, CONSIDERED);
  if (best.length === 0) return { spans: [], noAnswer: unanswerable ? 1 : 0, margin: Number.MAX_VALUE };
  const sums = best.map(({ logit }) => logit);
  const chances = softmax(unanswerable ? [...sums, none] : sums);
  const spans = best.map(({ window, first, last }, i) => {
    const { offsets } = encodings[window];
    const start = offsets[2 * first];
    const end = offsets[2 * last + 1];
    return { answer: context.slice(start, end), start, end, score: chances[i] };
  });
  return { spans, noAnswer: unanswerable ? chances[best.length] : 0, margin: none - sums[0] };
}

/** Where an answer may begin in a window, and the last token of the context there. */
interface Starts {
  readonly tokens: readonly number[];
  readonly last: number;
}

/** Each token of the context may begin an answer in one window only, where it sees most around it. */
function startsOf(encodings: readonly Encoding[], stride: number): Starts[] {
  const froms = encodings.map(({ sequenceIds }) => sequenceIds.indexOf(1));
  const starts = encodings.map(({ length }) => ({ tokens: [] as number[], last: length - 2 })); // before the last [SEP]
  if (froms[0] < 0) return starts; // a context without tokens
  const sizes = encodings.map(({ length }, window) => ({ length: length - 1 - froms[window] }));
  for (const { window, index } of bestPlaces(sizes, stride)) starts[window].tokens.push(froms[window] + index);
  return starts;
}

function candidatesOf(window: number, logits: Float32Array, { tokens, last }: Starts, longest: number): Candidate[] {
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
