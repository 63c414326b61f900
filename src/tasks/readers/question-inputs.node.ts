import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { type Question, questionAnswering } from "../definitions/question-answering.ts";
import { onEmpty } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import { openInputs, readInputs, readOpenInputs } from "./inputs.node.ts";
import { readUnanswered } from "./questions.node.ts";

const reading = z.object({
  questionColumn: z.string().default("question").describe("column of the question"),
  contextColumn: z.string().default("context").describe("column of the context"),
  onEmpty,
});

/**
 * Questions and contexts: from the command line two by two; or from a file or standard input, be it SQuAD's or a table with a
 * column each. Throws the errors of the readers.
 */
export const questionInputs = {
  reading,
  async *read(source, { questionColumn, contextColumn, onEmpty }, counts) {
    if (typeof source === "object") {
      for await (const pair of readInputs(source, { onEmpty, inPairs: true }, counts)) yield asQuestion(pair);
      return;
    }
    const file = await openInputs(source);
    if (file.other?.task === questionAnswering.name) {
      for (const { id, question, context } of await readUnanswered(file, { onEmpty }, counts)) {
        yield { input: { question, context }, shown: { id, question } };
      }
      return;
    }
    const columns = { textColumn: questionColumn, pairColumn: contextColumn };
    const pairs = readOpenInputs(file, { ...columns, onEmpty }, counts);
    for await (const pair of orSquad(pairs)) yield asQuestion(pair);
  },
} satisfies InputReader<Question, typeof reading>;

/** The same inputs; an error for what is no table says that SQuAD's files are read too. */
async function* orSquad(inputs: AsyncIterable<TextInput>): AsyncGenerator<TextInput> {
  try {
    yield* inputs;
  } catch (error) {
    if (!(error instanceof ClozeError) || error.code !== "FORMAT_UNKNOWN") throw error;
    const { code, problem, expected, received, cure, cause } = error;
    throw new ClozeError(code, { problem, expected: `${expected}, or SQuAD's JSON`, received, cure, cause });
  }
}

function asQuestion({ text: question, pair: context = "" }: TextInput) {
  return { input: { question, context }, shown: { question } };
}
