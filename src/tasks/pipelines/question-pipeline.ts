import { z } from "zod";
import {
  answersOf,
  type Question,
  type QuestionAnswerer,
  questionAnswering,
} from "../definitions/question-answering.ts";
import type { CallForm } from "../run/call-form.ts";
import type { Control } from "../run/control.ts";
import { parseGiven } from "../run/parse-options.ts";
import { answerCall } from "../run/task-pipeline.ts";
import { requireText } from "../run/text-or-pair.ts";
import { requireTopK } from "../run/top-k.ts";

/** An answer in the form of Hugging Face's pipeline; that there is none is the empty text from 0 to 0. */
export interface QuestionAnswer {
  /**
   * Probability among the twenty likeliest answers of all windows, and that there is none if that is considered. It is not
   * comparable with Hugging Face's, which is a product of probabilities over the tokens of one window.
   */
  readonly score: number;
  /** `context.slice(start, end) === answer`, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly answer: string;
}

export interface QuestionOptions {
  /** Answers, best first: the twenty likeliest at most, and that there is none where that is considered. Default 1. */
  readonly top_k?: number;
  /** Tokens that windows over a long context have in common. Default: the model's, or what suits the room in a window. */
  readonly doc_stride?: number;
  /** Tokens of an answer at most. Default: the model's. */
  readonly max_answer_len?: number;
  /** Tokens of a question at most; longer ones are cut. Default: the model's. */
  readonly max_question_len?: number;
  /** Whether there may be no answer. Default: whether the model was trained on such questions. */
  readonly handle_impossible_answer?: boolean;
}

type One = Omit<QuestionOptions, "top_k"> & { readonly top_k?: 1 } & Control;
type Several = QuestionOptions & { readonly top_k: number } & Control;

/**
 * The best answer to a question; with a `top_k` above 1 a list, best first, which is shorter where there are no more. One
 * answer may be part of another, as in Hugging Face's pipeline, and the same text at two places is two answers.
 *
 * Of one answer the model's threshold says whether it is rather none. Throws TEXT_EMPTY for an empty question or context.
 */
export interface QuestionAnsweringPipeline {
  (question: Question, options?: One): Promise<QuestionAnswer>;
  (question: Question, options: Several): Promise<QuestionAnswer | QuestionAnswer[]>;
  /** One for each question. */
  (questions: readonly Question[], options?: One): Promise<QuestionAnswer[]>;
  (questions: readonly Question[], options: Several): Promise<QuestionAnswer[] | QuestionAnswer[][]>;
  /** Frees the model; the pipeline cannot be called afterwards. */
  dispose(): Promise<void>;
}

const FORM: CallForm<QuestionOptions> = {
  input: z.object({ question: z.string(), context: z.string() }), // a row of SQuAD has an id too, and no field is optional
  called: "{ question, context }",
  options: {
    top_k: true,
    doc_stride: true,
    max_answer_len: true,
    max_question_len: true,
    handle_impossible_answer: true,
  },
};

/**
 *     const answer = questionPipeline(answerer);
 *     await answer({ question: "Who came?", context: "Ada came." }); // { score: 0.98, start: 0, end: 3, answer: "Ada" }
 */
export function questionPipeline(answerer: QuestionAnswerer): QuestionAnsweringPipeline {
  function run(question: Question, options?: One): Promise<QuestionAnswer>;
  function run(question: Question, options: Several): Promise<QuestionAnswer | QuestionAnswer[]>;
  function run(questions: readonly Question[], options?: One): Promise<QuestionAnswer[]>;
  function run(questions: readonly Question[], options: Several): Promise<QuestionAnswer[] | QuestionAnswer[][]>;
  async function run(input: Question | readonly Question[], options: QuestionOptions & Control = {}) {
    const several = (options.top_k ?? 1) > 1;
    return answerCall(FORM, input, options, async (chunk): Promise<(QuestionAnswer | QuestionAnswer[])[]> => {
      const results = await answerAll(answerer, chunk, options);
      return several ? results : results.map(([best]) => best);
    });
  }
  return Object.assign(run, { dispose: () => answerer.dispose() });
}

/** Answers some questions. Throws OPTION_INVALID, TEXT_EMPTY and the errors of `TaskModel.answer`. */
async function answerAll(
  answerer: QuestionAnswerer,
  questions: readonly Question[],
  { top_k = 1, signal, ...options }: QuestionOptions & Pick<Control, "signal">,
): Promise<QuestionAnswer[][]> {
  requireTopK(top_k);
  for (const { question, context } of questions) {
    requireText("a question", question);
    requireText("a context", context);
  }
  const settings = parseGiven(questionAnswering.settings, {
    topK: top_k,
    stride: options.doc_stride,
    maxAnswerLength: options.max_answer_len,
    maxQuestionLength: options.max_question_len,
    unanswerable: options.handle_impossible_answer,
  });
  const { results } = await answerer.answer(questions, { settings, signal });
  return results.map((found) => answersOf(found, { ...answerer.context.settings, ...settings }));
}
