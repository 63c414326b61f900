import { readSquad } from "../../formats/squad.node.ts";
import { SKIP_REASONS } from "../../formats/squad.ts";
import type { GoldAnswers, Question } from "../definitions/question-answering.ts";
import type { Examples } from "../definitions/task.ts";
import { emptyRow, examplesOf } from "./text-rows.node.ts";

/**
 * Reads questions, contexts and answers from a file of SQuAD 1.1 or 2.0. Questions about one context are a group. Throws the
 * errors of `readSquad`, and TEXT_EMPTY where no question remains.
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
  const told = examplesOf(path, examples, Object.fromEntries(left));
  const astray = examples.filter(({ gold }) => isAstray(gold)).map(({ place }) => place);
  return { ...told, places: { ...told.places, [ASTRAY]: astray }, notes: { [ASTRAY]: astray.length } };
}

/** They count in figures, as in the official script. */
const ASTRAY = "with no answer where the file says that it stands";

function isAstray({ answers, isImpossible }: GoldAnswers): boolean {
  return !isImpossible && answers.length > 0 && answers.every(({ span }) => span === undefined);
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
    throw emptyRow(`${placeOf(path, id)} has an ${reason}`);
  }
  return {
    questions: questions.map(({ id, question, context }) => ({ id, question, context })),
    skipped: skipped.length,
  };
}

function placeOf(path: string, id: string): string {
  return `${path}, question ${id}`;
}
