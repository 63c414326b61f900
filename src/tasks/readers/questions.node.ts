import { ClozeError } from "../../base/errors.ts";
import { readSquad } from "../../formats/squad.node.ts";
import type { GoldAnswers, Question } from "../definitions/question-answering.ts";
import type { Examples } from "../definitions/task.ts";

/** Reads questions, contexts and answers from a file of SQuAD 1.1 or 2.0. Throws the errors of `readSquad`. */
export async function readQuestions(path: string): Promise<Examples<Question, GoldAnswers>> {
  const { questions, misplaced, skipped } = await readSquad(path);
  const examples = questions.map(({ id, question, context, answers }) => ({
    input: { question, context },
    gold: { id, answers },
    place: placeOf(path, id),
  }));
  const reasons = new Set(skipped.map(({ reason }) => reason));
  const left = [
    described(misplaced, ["answer that is not in its context", "answers that are not in their contexts"]),
    ...Array.from(reasons, (reason) =>
      described(
        skipped.filter((question) => question.reason === reason),
        [`question with ${reason}`, `questions with ${reason}`],
      ),
    ),
  ];
  return { file: path, examples, skipped: Object.fromEntries(left) };
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

/** Ids that a message names: enough to find the fault, few enough to read. */
const NAMED = 3;

/** What was left out, named after the number, and its number: "answers that are not in their contexts (a, b, c, ...)". */
function described(left: readonly { readonly id: string }[], [one, many]: [one: string, many: string]) {
  const ids = [...new Set(left.map(({ id }) => id))];
  const named = [...ids.slice(0, NAMED), ...(ids.length > NAMED ? ["..."] : [])].join(", ");
  return [
    left.length === 1 ? `${one} (${named})` : left.length === 0 ? many : `${many} (${named})`,
    left.length,
  ] as const;
}
