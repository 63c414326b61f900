import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { formatConll } from "../../formats/conll.ts";
import { encodeAnswers } from "../../formats/squad.ts";
import type { OpenPrediction } from "../run/prediction.ts";

/** Makes a file of answers. */
export type AnswerEncoder = (answers: OpenPrediction["answers"]) => AsyncGenerator<string>;

/**
 * In which form the answers of a task go into a file, by its name: for scripts that score them `{ id: text }` of questions
 * in `.json` and columns of words and tags in `.conll`; else JSON Lines.
 */
export function answerEncoder(task: string, path: string | undefined): AnswerEncoder {
  if (task === "question-answering" && /\.json$/i.test(path ?? "")) return squadAnswers;
  if (task === "token-classification" && /\.conll$/i.test(path ?? "")) return conllSentences;
  return jsonLines;
}

async function* jsonLines(answers: OpenPrediction["answers"]) {
  for await (const chunk of answers) yield chunk.map((answer) => `${JSON.stringify(answer)}\n`).join("");
}

const Answered = z.object({ id: z.string(), answer: z.string() });

async function* squadAnswers(answers: OpenPrediction["answers"]) {
  const byId = new Map<string, string>();
  for await (const chunk of answers) {
    for (const answer of chunk) {
      const { id, answer: text } = parsed(Answered, answer, "a SQuAD file as --input, and one answer a question");
      byId.set(id, text);
    }
  }
  yield encodeAnswers(byId);
}

const Tagged = z.object({
  words: z.array(z.string()),
  gold: z.array(z.string()).optional(),
  tags: z.array(z.string()),
});

async function* conllSentences(answers: OpenPrediction["answers"]) {
  for await (const chunk of answers) {
    const sentences = chunk.map((answer) => parsed(Tagged, answer, "a CoNLL file as --input"));
    yield sentences.map(({ words, gold, tags }) => formatConll(gold ? [words, gold, tags] : [words, tags])).join("");
  }
}

function parsed<S extends z.ZodType>(schema: S, answer: object, expected: string): z.infer<S> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new ClozeError("OPTION_INVALID", {
    problem: "the answers do not fit into a file of that name",
    expected,
    cure: "Or write JSON Lines: --output answers.jsonl.",
  });
}
