import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { vector } from "../../graph/executor.ts";
import { multipleChoice as choiceHead } from "../../heads/multiple-choice.ts";
import { softmax } from "../run/softmax.ts";
import { indexOfMax } from "../run/top-k.ts";
import { shares } from "./class-weights.ts";
import type { Task } from "./task.ts";
import type { TaskModelOf } from "./task-model.ts";

/** A context and what may follow it; `start`, where there is one, is how each choice begins. */
export interface Choices {
  readonly context: string;
  readonly start?: string;
  readonly choices: readonly string[];
}

const reading = z.object({
  contextColumn: z.string().optional().describe('column of the context (default: SWAG\'s "sent1")'),
  startColumn: z
    .string()
    .optional()
    .describe('column of how each choice begins (default: SWAG\'s "sent2"; none where --context-column is given)'),
  choiceColumns: z
    .array(z.string())
    .min(2)
    .default(["ending0", "ending1", "ending2", "ending3"])
    .describe("columns of the choices"),
  choicesColumn: z.string().optional().describe("column of all choices, a list, in place of a column for each"),
  labelColumn: z.string().default("label").describe("column of the right choice's number, from 0"),
});

export type ChoiceReading = z.infer<typeof reading>;

const settings = z.object({});

/** Which of some choices goes with a context (SWAG; Devlin et al. 2019, section 4.4); the answer is each one's probability. */
export const multipleChoice = {
  name: "multiple-choice",
  summary: "which of some endings follows a text, as in SWAG",
  example: "multiple-choice --train train.csv --dev val.csv --learning-rate 3e-4 --output model",
  usage: () => '"She opened the door." "She went in." "He ate it."',
  architecture: "BertForMultipleChoice",
  reading,
  settings,

  head: (config) => choiceHead(config),

  encode({ context, start, choices }, { tokenizer, maxLength }) {
    requireChoices(choices);
    return choices.map((choice) =>
      tokenizer.encode(context, { pair: start === undefined ? choice : `${start} ${choice}`, maxLength }),
    );
  },

  features: ({ gold, place }, encodings) => [{ sequences: encodings, target: Int32Array.of(gold), place }],

  targets: (part, batch) => ({
    choices: vector(Int32Array.from(part, ({ sequences }) => sequences.length)),
    labels: { data: Int32Array.from(part, ({ target }) => target[0]), shape: [part.length, 1] },
    weights: vector(shares(part, batch)),
  }),

  decode: (_input, _encodings, logits) => softmax(logits.map(([logit]) => logit)),

  present: (probabilities, { choices }) => choiceScores(choices, probabilities),

  /** Accuracy. */
  score(examples, answers) {
    const right = answers.filter((row, i) => indexOfMax(row) === examples[i].gold).length;
    const accuracy = right / Math.max(1, examples.length);
    return { score: accuracy, metrics: { examples: examples.length, accuracy } };
  },
} as const satisfies Task<Choices, number, Float32Array, typeof reading, typeof settings>;

export interface ChoiceScores {
  /** The likeliest of the choices. */
  readonly choice: string;
  /** Its probability, 0 to 1. */
  readonly score: number;
  /** That of each choice, in the order in which they were given. */
  readonly scores: number[];
}

function choiceScores(choices: readonly string[], probabilities: Float32Array): ChoiceScores {
  const scores = Array.from(probabilities);
  const best = indexOfMax(scores);
  return { choice: choices[best], score: scores[best], scores };
}

/** Throws OPTION_INVALID. */
function requireChoices({ length }: readonly string[]): void {
  if (length > 1) return;
  const received = String(length);
  throw new ClozeError("OPTION_INVALID", {
    problem: "there is nothing to choose",
    expected: "two choices or more",
    received,
  });
}

export type ChoiceModel = TaskModelOf<typeof multipleChoice>;
