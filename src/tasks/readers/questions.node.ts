import { ClozeError } from "../../base/errors.ts";
import { readSquad } from "../../formats/squad.node.ts";
import { SKIP_REASONS } from "../../formats/squad.ts";
import type { GoldAnswers, Question } from "../definitions/question-answering.ts";
import type { Examples } from "../definitions/task.ts";

/**
 * Reads questions, contexts and answers from a file of SQuAD 1.1 or 2.0. Questions about one context are a group. Throws the
 * errors of `readSquad`.
 */
export async function readQuestions(path: string): Promise<Examples<Question, GoldAnswers>> {
  const { questions, skipped } = await readSquad(path);
  const examples = questions.map(({ id, question, context, answers, isImpossible }) => ({
    input: { question, context },
    gold: { id, answers, isImpossible },
    place: placeOf(path, id),
    group: context,
  }));
  const left = SKIP_REASONS.map((reason) => {
    const places = skipped.flatMap((question) => (question.reason === reason ? placeOf(path, question.id) : []));
    return [`with an ${reason}`, places] as const;
  });
  return {
    file: path,
    examples,
    skipped: Object.fromEntries(left.map(([reason, { length }]) => [reason, length])),
    skippedPlaces: Object.fromEntries(left),
  };
}

export interface IdentifiedQuestion extends Question {
  readonly id: string;
}

/**
 * Reads the questions of a SQuAD file to answer them, whether or not it has answers. Those with an empty text are left out
 * and counted, or refused with TEXT_EMPTY. Throws the errors of `readSquad`.
 */
export async function readUnanswered(
  path: string,
  { onEmpty = "skip" }: { readonly onEmpty?: "skip" | "refuse" } = {},
): Promise<{ readonly questions: readonly IdentifiedQuestion[]; readonly skipped: number }> {
  const { questions, skipped } = await readSquad(path, { requireAnswers: false });
  if (onEmpty === "refuse" && skipped.length > 0) {
    const [{ id, reason }] = skipped;
    const cure = "Fill it, or use --on-empty skip.";
    throw new ClozeError("TEXT_EMPTY", { problem: `${placeOf(path, id)} has an ${reason}`, cure });
  }
  return {
    questions: questions.map(({ id, question, context }) => ({ id, question, context })),
    skipped: skipped.length,
  };
}

function placeOf(path: string, id: string): string {
  return `${path}, question ${id}`;
}
