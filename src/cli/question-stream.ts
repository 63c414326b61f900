import { ClozeError } from "../base/errors.ts";
import { isSquad } from "../formats/squad.node.ts";
import type { Question } from "../tasks/definitions/question-answering.ts";
import { readUnanswered } from "../tasks/readers/questions.node.ts";
import { abortOnInterrupt } from "./exit.ts";
import { openTexts, type TextStream } from "./text-stream.ts";

/** A question, with its id where it comes from a SQuAD file. */
export interface AskedQuestion extends Question {
  readonly id?: string;
}

export interface QuestionSource {
  readonly input?: string;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly onEmpty: "refuse" | "skip";
}

/**
 * Questions and contexts from the command line, two by two, or those of --input: a SQuAD file, or a table with a column
 * each. Throws OPTION_INVALID where there are neither, and the errors of the readers.
 */
export async function openQuestions(
  texts: readonly string[],
  options: QuestionSource,
): Promise<TextStream<AskedQuestion>> {
  const { input, textColumn = "question", pairColumn = "context", onEmpty } = options;
  if (texts.length > 0) return asQuestions(openTexts(texts, { onEmpty, inPairs: true }));
  if (input === undefined) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "the task question-answering is about a question and a context",
      expected: "a question and a context, or --input with a SQuAD file or a table",
    });
  }
  const hasColumns = options.textColumn !== undefined || options.pairColumn !== undefined;
  if (hasColumns || !(await isSquad(input))) {
    return asQuestions(openTexts([], { input, textColumn, pairColumn, onEmpty }));
  }
  const { questions, skipped } = await readUnanswered(input, { onEmpty });
  const counts = { texts: 0, skipped, truncated: 0 };
  return { inputs: each(questions), counts, signal: abortOnInterrupt() };
}

function asQuestions({ inputs, ...stream }: TextStream): TextStream<AskedQuestion> {
  async function* questions() {
    for await (const { text, pair = "" } of inputs) yield { question: text, context: pair };
  }
  return { inputs: questions(), ...stream };
}

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}
