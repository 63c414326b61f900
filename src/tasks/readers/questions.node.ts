import { readSquad } from "../../formats/squad.node.ts";
import { SKIP_REASONS, type SkipReason } from "../../formats/squad.ts";
import type { OpenFile } from "../../formats/text.node.ts";
import type { GoldAnswers, Question } from "../definitions/question-answering.ts";
import type { Examples } from "../definitions/task.ts";
import type { SkipCounts } from "../run/input-counts.ts";
import { emptyRow, examplesOf, withNotes } from "./text-rows.node.ts";

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
    return [reasonOf(reason), places] as const;
  });
  return withNotes(examplesOf(path, examples, Object.fromEntries(left)), {
    [ASTRAY]: examples.filter(({ gold }) => isAstray(gold)),
    [CONTRADICTORY]: examples.filter(({ gold: { isImpossible, answers } }) => isImpossible && answers.length > 0),
  });
}

/** They count in figures, as in the official script. */
const ASTRAY = "with no answer where the file says that it stands";

/** They are trained as having none, and measured by their answers. */
const CONTRADICTORY = "said to be impossible, with answers all the same";

function isAstray({ answers, isImpossible }: GoldAnswers): boolean {
  return !isImpossible && answers.length > 0 && answers.every(({ span }) => span === undefined);
}

export interface IdentifiedQuestion extends Question {
  readonly id: string;
}

/**
 * Reads the questions of an open SQuAD file to answer them, whether or not it has answers. Those with an empty text are left
 * out and counted, or refused with TEXT_EMPTY. Throws the errors of `readSquad`.
 */
export async function readUnanswered(
  file: OpenFile,
  { onEmpty = "skip" }: { readonly onEmpty?: "skip" | "refuse" },
  counts: SkipCounts,
): Promise<readonly IdentifiedQuestion[]> {
  const { questions, skipped } = await readSquad(file, { requireAnswers: false });
  for (const { id, reason } of skipped) {
    if (onEmpty === "refuse") throw emptyRow(`${placeOf(file.name, id)} has an ${reason}`);
    counts.skip(reasonOf(reason), placeOf(file.name, id));
  }
  return questions.map(({ id, question, context }) => ({ id, question, context }));
}

function reasonOf(reason: SkipReason): string {
  return `with an ${reason}`;
}

function placeOf(source: string, id: string): string {
  return `${source}, question ${id}`;
}
