import { ClozeError } from "../base/errors.ts";
import { requireKnown } from "../base/require-known.ts";
import { readAnswers, readNoAnswerScores } from "../formats/squad.node.ts";
import { answerScores } from "../metrics/answer-scores.ts";
import type { Evaluation } from "../train/trainable.ts";
import type { Examples } from "./definitions/task.ts";
import { readQuestions } from "./readers/questions.node.ts";

export interface PredictionFiles {
  /** Answers by question id, `{ id: text }`, as every system for SQuAD writes them; no answer is the empty text. */
  readonly predictions: string;
  /** A file of SQuAD 1.1 or 2.0. */
  readonly data: string;
  /** How sure the system is that there is no answer, `{ id: number }`, on any scale. */
  readonly nullScores?: string;
  /** A prediction whose null score is above it counts as none. Default 1, as in the official script. */
  readonly nullThreshold?: number;
}

/**
 * Scores answers that any system gave to the questions of a SQuAD file, as the official script does. Throws OPTION_INVALID
 * for a threshold without scores, FILE_EMPTY for predictions of which none is about the data, and the errors of `readSquad`.
 */
export async function scorePredictions(
  files: PredictionFiles,
): Promise<Evaluation & Pick<Examples<unknown, unknown>, "skipped" | "places" | "notes">> {
  requireKnown(files, { predictions: true, data: true, nullScores: true, nullThreshold: true });
  const { predictions, data, nullScores, nullThreshold: threshold } = files;
  if (threshold !== undefined && nullScores === undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "there is a threshold of null scores without null scores",
      expected: "--null-scores beside --null-threshold",
    });
  }
  const { examples, skipped, places, notes } = await readQuestions(data);
  const answers = await readAnswers(predictions);
  if (!examples.some(({ gold }) => answers.has(gold.id))) {
    throw new ClozeError("FILE_EMPTY", {
      problem: `no id of ${predictions} occurs in ${data}`,
      expected: `ids such as ${JSON.stringify(examples[0].gold.id)}`,
      received: `ids such as ${JSON.stringify([...answers.keys()][0])}`,
      cure: "Name the file that the predictions were made for.",
    });
  }
  const noAnswerScores = nullScores === undefined ? undefined : await readNoAnswerScores(nullScores);
  const questions = examples.map(({ gold }) => gold);
  const { total, ...figures } = answerScores(answers, questions, { noAnswerScores, threshold });
  return { score: figures.f1, metrics: { examples: total, ...figures }, skipped, places, notes };
}
