import { readSquad } from "../formats/squad.node.ts";
import type { GoldAnswers, Question } from "./question-answering.ts";
import type { Examples } from "./task.ts";

/** Reads questions, contexts and answers from a file of SQuAD 1.1 or 2.0. Throws the errors of `readSquad`. */
export async function readQuestions(path: string): Promise<Examples<Question, GoldAnswers>> {
  const { questions, misplaced, skipped } = await readSquad(path);
  const examples = questions.map(({ id, question, context, answers }) => ({
    input: { question, context },
    gold: { id, answers },
    place: `${path}, question ${id}`,
  }));
  const reasons: Record<string, number> = {};
  const count = (reason: string, id: string) => {
    const said = `${reason} (${id})`;
    reasons[said] = (reasons[said] ?? 0) + 1;
  };
  for (const { id } of misplaced) count("answers that are not in their context", id);
  for (const { id, reason } of skipped) count(`questions with ${reason}`, id);
  return { file: path, examples, skipped: reasons };
}
