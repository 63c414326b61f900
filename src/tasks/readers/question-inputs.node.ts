import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { isSquad } from "../../formats/squad.node.ts";
import type { Question } from "../definitions/question-answering.ts";
import { onEmpty } from "../definitions/text-reading.ts";
import type { InputReader } from "../run/input-reader.ts";
import { readInputs } from "./inputs.node.ts";
import { readUnanswered } from "./questions.node.ts";

const reading = z.object({
  questionColumn: z.string().default("question").describe("column of the question"),
  contextColumn: z.string().default("context").describe("column of the context"),
  onEmpty,
});

/**
 * Questions and contexts: from the command line two by two, from a SQuAD file, or from a table with a column each. Throws
 * OPTION_INVALID where there are none, and the errors of the readers.
 */
export const questionInputs = {
  reading,
  async *read(source, { questionColumn, contextColumn, onEmpty }, counts) {
    if (source === undefined) {
      throw new ClozeError("OPTION_INVALID", {
        problem: "the task question-answering is about a question and a context",
        expected: "a question and a context, or --input with a SQuAD file or a table",
      });
    }
    if (typeof source === "string" && (await isSquad(source))) {
      for (const { id, question, context } of await readUnanswered(source, { onEmpty }, counts)) {
        yield { input: { question, context }, shown: { id, question } };
      }
      return;
    }
    const columns = typeof source === "string" ? { textColumn: questionColumn, pairColumn: contextColumn } : {};
    for await (const { text: question, pair: context = "" } of readInputs(
      source,
      { ...columns, onEmpty, inPairs: true },
      counts,
    )) {
      yield { input: { question, context }, shown: { question } };
    }
  },
} satisfies InputReader<Question, typeof reading>;
