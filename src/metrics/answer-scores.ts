import { ClozeError } from "../base/errors.ts";
import { ratio } from "./ratio.ts";

/**
 * Scores of extractive question answering, as the evaluation script of SQuAD 2.0 has them (Rajpurkar et al. 2016 and
 * 2018), which on questions that all have an answer are those of SQuAD 1.1. All scores are shares, 0 to 1.
 */

/** What a score needs of a question. */
export interface GoldAnswers {
  readonly id: string;
  /** What several people answered; empty where the context has no answer. */
  readonly answers: readonly { readonly text: string }[];
}

export interface AnswerScoreOptions {
  /** For each predicted id how strongly the model holds that there is no answer, on any scale. */
  noAnswerScores?: ReadonlyMap<string, number>;
  /** A prediction whose no-answer score is above it counts as the empty one; 1 unless told, as in the script. */
  threshold?: number;
}

/** Means over `total` questions. */
export interface MeanAnswerScores {
  exactMatch: number;
  f1: number;
  total: number;
}

/** The highest means that any threshold reaches, and a threshold for each, midway between the scores that it parts. */
export interface BestAnswerScores {
  exactMatch: number;
  exactMatchThreshold: number;
  f1: number;
  f1Threshold: number;
}

export interface AnswerScores extends MeanAnswerScores {
  /** Questions without a prediction; they score 0. */
  missing: number;
  /** Predictions for ids that no question has. */
  unknown: number;
  /** The questions that have an answer, and those that have none: only where there are some of the latter. */
  hasAnswer?: MeanAnswerScores;
  noAnswer?: MeanAnswerScores;
  /** Only with no-answer scores. */
  best?: BestAnswerScores;
}

/** One question's scores before any threshold. */
interface Judged {
  readonly hasAnswer: boolean;
  /** Undefined where it is missing. */
  readonly prediction: string | undefined;
  readonly exactMatch: number;
  readonly f1: number;
}

/**
 * Scores predicted answers against the gold ones; the empty text predicts that there is none. Where the official
 * script leaves a question without prediction out of the means, it scores 0 here.
 *
 * @throws ClozeError OPTION_INVALID where a predicted question has no no-answer score, though others have
 */
export function answerScores(
  predictions: ReadonlyMap<string, string>,
  questions: readonly GoldAnswers[],
  { noAnswerScores, threshold = 1 }: AnswerScoreOptions = {},
): AnswerScores {
  const judged = new Map(questions.map((question) => [question.id, judge(question, predictions.get(question.id))]));
  const final = Array.from(judged, ([id, scores]) =>
    noAnswerScores === undefined || scores.prediction === undefined || scoreOf(id, noAnswerScores) <= threshold
      ? scores
      : { ...scores, exactMatch: Number(!scores.hasAnswer), f1: Number(!scores.hasAnswer) },
  );
  const hasAnswer = final.filter((scores) => scores.hasAnswer);
  const noAnswer = final.filter((scores) => !scores.hasAnswer);
  return {
    ...means(final),
    missing: final.filter(({ prediction }) => prediction === undefined).length,
    unknown: [...predictions.keys()].filter((id) => !judged.has(id)).length,
    ...(noAnswer.length > 0 && { hasAnswer: means(hasAnswer), noAnswer: means(noAnswer) }),
    ...(noAnswerScores !== undefined && { best: bestScores(judged, noAnswerScores) }),
  };
}

/**
 * The form in which answers are compared: lower case, without ASCII punctuation, without the words a, an and the, and
 * with single spaces. Lower case, letters and digits are Unicode's, white space is that of Python's `str.split`, so that
 * the text is the official script's to the letter, as far as both know the same version of Unicode.
 */
export function normalizeAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(PUNCTUATION, "")
    .replace(ARTICLES, " ")
    .split(WHITE_SPACE)
    .filter(Boolean)
    .join(" ");
}

/** Python's `string.punctuation`. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/** Python's `\b(a|an|the)\b`: JavaScript's `\b` knows ASCII alone, and would find an article in "thé". */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu;

/** Where Python's `str.split` splits: JavaScript's `\s` has U+FEFF besides, and lacks U+0085 and the separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts the four separators as white space
const WHITE_SPACE = /[\p{White_Space}\x1c-\x1f]+/u;

/** 1 where the prediction is one of the gold answers once both are normalised, else 0. No gold answer is the empty one. */
export function exactMatch(prediction: string, gold: readonly string[]): number {
  return Number(normalizedGold(gold).includes(normalizeAnswer(prediction)));
}

/**
 * The harmonic mean of precision and recall of the prediction's words, as a bag, with the gold answer that it fits best.
 * Where either is without words, it is 1 if both are, else 0.
 */
export function f1(prediction: string, gold: readonly string[]): number {
  const predicted = words(normalizeAnswer(prediction));
  return Math.max(...normalizedGold(gold).map((answer) => overlap(predicted, words(answer))));
}

/** The gold answers of which something is left, or the empty one. */
function normalizedGold(gold: readonly string[]): string[] {
  const answers = gold.map(normalizeAnswer).filter(Boolean);
  return answers.length > 0 ? answers : [""];
}

function words(normalized: string): string[] {
  return normalized === "" ? [] : normalized.split(" ");
}

function overlap(predicted: readonly string[], gold: readonly string[]): number {
  if (predicted.length === 0 || gold.length === 0) return Number(predicted.length === gold.length);
  const left = new Map<string, number>(); // how often each word of gold is still to be met
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count > 0) shared++;
    left.set(word, count - 1);
  }
  return (2 * shared) / (predicted.length + gold.length);
}

function judge({ answers }: GoldAnswers, prediction: string | undefined): Judged {
  const gold = answers.map(({ text }) => text);
  return {
    hasAnswer: gold.length > 0,
    prediction,
    exactMatch: prediction === undefined ? 0 : exactMatch(prediction, gold),
    f1: prediction === undefined ? 0 : f1(prediction, gold),
  };
}

function bestScores(judged: ReadonlyMap<string, Judged>, noAnswerScores: ReadonlyMap<string, number>) {
  const exact = bestThreshold(judged, noAnswerScores, "exactMatch");
  const overlapping = bestThreshold(judged, noAnswerScores, "f1");
  return {
    exactMatch: exact.mean,
    exactMatchThreshold: exact.threshold,
    f1: overlapping.mean,
    f1Threshold: overlapping.threshold,
  };
}

/**
 * The official sweep: at first all predictions count as empty, then each in turn as itself, from the lowest no-answer
 * score to the highest. As in the script, a text for a question without answer is wrong even if its normalised form is
 * empty, and among equal scores, in the order of the map, the best may lie between two that no threshold can tell apart.
 *
 * The script's threshold is the highest score that counts as itself, or 0 where answering nothing is best. This one lies
 * between that score and the next, so that the rounding of another run of the same model moves no question across it.
 */
function bestThreshold(
  judged: ReadonlyMap<string, Judged>,
  noAnswerScores: ReadonlyMap<string, number>,
  metric: "exactMatch" | "f1",
): { mean: number; threshold: number } {
  const swept = [...noAnswerScores]
    .flatMap(([id, noAnswer]) => {
      const scores = judged.get(id);
      return scores?.prediction === undefined ? [] : { scores, noAnswer };
    })
    .sort((a, b) => a.noAnswer - b.noAnswer);
  let score = swept.filter(({ scores }) => !scores.hasAnswer).length;
  let best = { score, count: 0 }; // so many predictions count as themselves
  for (const [i, { scores }] of swept.entries()) {
    score += scores.hasAnswer ? scores[metric] : scores.prediction === "" ? 0 : -1;
    if (score > best.score) best = { score, count: i + 1 };
  }
  const threshold = midway(
    swept.map(({ noAnswer }) => noAnswer),
    best.count,
  );
  return { mean: ratio(best.score, judged.size), threshold };
}

/** Halfway between the first `count` of some rising scores and the next higher one; half a unit off where one is missing. */
function midway(scores: readonly number[], count: number): number {
  if (scores.length === 0) return 0;
  const below = count === 0 ? scores[0] - 1 : scores[count - 1];
  const above = scores.slice(count).find((score) => score > below) ?? below + 1;
  const middle = below + (above - below) / 2;
  return middle < above ? middle : below; // where there is no number between them
}

function scoreOf(id: string, noAnswerScores: ReadonlyMap<string, number>): number {
  const score = noAnswerScores.get(id);
  if (score !== undefined) return score;
  throw new ClozeError("OPTION_INVALID", {
    problem: `the no-answer scores lack ${JSON.stringify(id)}, for which there is a prediction`,
    expected: "one for each prediction",
    cure: "Take both from the same run of the same system.",
  });
}

function means(scores: readonly Judged[]): MeanAnswerScores {
  const mean = (metric: "exactMatch" | "f1") =>
    ratio(
      scores.reduce((sum, judged) => sum + judged[metric], 0),
      scores.length,
    );
  return { exactMatch: mean("exactMatch"), f1: mean("f1"), total: scores.length };
}
