/** The loss that evaluation finds is the one that training lowers, with dropout left out. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { tinyConfig, VOCABULARY } from "../../../test/tiny-model.ts";
import { withoutDropout } from "../../bert/config.ts";
import { referenceExecutor } from "../../executors/reference/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { initialise, Parameters } from "../../graph/parameters.ts";
import { BertTokenizer } from "../../tokenizer/tokenizer.ts";
import { multiLabelClassification } from "./multi-label-classification.ts";
import { multipleChoice } from "./multiple-choice.ts";
import { questionAnswering } from "./question-answering.ts";
import { regression } from "./regression.ts";
import { type Example, type Task, trainableOf } from "./task.ts";
import { prepareExamples, TaskModel, taskParameters } from "./task-model.ts";
import { textClassification } from "./text-classification.ts";
import { tokenClassification } from "./token-classification.ts";

const config = tinyConfig();
const tokenizer = BertTokenizer.fromVocabulary(VOCABULARY);

/** A model of a task with random weights, and the loss over examples by the whole graph, in one run. */
async function modelOf<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
  task: Task<I, G, A, R, S>,
  examples: readonly Example<I, G>[],
  given: z.input<S>,
  labels: readonly string[] = [],
) {
  const context = { tokenizer, labels, maxLength: 16, settings: task.settings.parse(given) };
  const parameters = new Parameters(taskParameters(task, config, context));
  initialise(parameters, 0.3, 1);
  const model = await TaskModel.load(task, { config, parameters, context }, referenceExecutor, { frozen: true });
  const prepared = prepareExamples(task, examples, context);
  const features = prepared.flatMap((example) => example.features);
  const { loss, inputs } = trainableOf(task, withoutDropout(config), context);
  const executable = await referenceExecutor.load(makeGraph({ loss }), parameters);
  const { loss: whole } = await executable.run(inputs(features, features));
  return { model, prepared, features, whole: whole.data[0] };
}

const LONG = "good a bad b good c bad d good e bad f good g bad h good i bad j";
const place = "here";

describe("the loss of an evaluation is that of training, whose graph it takes only the end of", () => {
  async function expectSame<I, G, A, R extends z.ZodObject, S extends z.ZodObject>(
    task: Task<I, G, A, R, S>,
    examples: readonly Example<I, G>[],
    { sequences, settings, labels }: { sequences: number; settings: z.input<S>; labels?: readonly string[] },
  ) {
    const { model, features, whole } = await modelOf(task, examples, settings, labels);
    expect(features.flatMap((feature) => feature.sequences)).toHaveLength(sequences);
    const { evaluation } = await model.evaluate(examples);
    expect(whole).toBeGreaterThan(0.01);
    expect(evaluation.metrics.loss).toBeCloseTo(whole, 6);
  }

  test("of labels, in windows", async () => {
    const examples = [
      { input: { text: LONG }, gold: "x", place },
      { input: { text: "bad" }, gold: "y", place },
    ];
    const options = { labels: ["x", "y", "z"], settings: { long: "windows", stride: 4 }, sequences: 3 } as const;
    await expectSame(textClassification, examples, options);
    const sets = examples.map((example) => ({ ...example, gold: [example.gold, "z"] }));
    await expectSame(multiLabelClassification, sets, options);
  });

  test("of numbers", async () => {
    const examples = [3, -1, 0.5].map((gold, i) => ({ input: { text: LONG.slice(0, 4 * i + 4) }, gold, place }));
    await expectSame(regression, examples, { settings: {}, sequences: 3 });
  });

  test("of tokens, in windows", async () => {
    const words = LONG.split(" ");
    const tags = (...all: string[]) => ({ tags: all, placeOf: () => place });
    const examples = [
      { input: words, gold: tags(...words.map((word) => (word.length > 1 ? "B-X" : "O"))), place },
      { input: ["abc", "bad"], gold: tags("O", "B-X"), place },
    ];
    await expectSame(tokenClassification, examples, { labels: ["B-X", "O"], settings: { stride: 4 }, sequences: 3 });
  });

  test("of answers, in windows", async () => {
    const answers = [{ text: "good c", span: { start: 13, end: 19 } }];
    const examples = [
      { input: { question: "a", context: LONG }, gold: { id: "1", answers, isImpossible: false }, place },
      { input: { question: "bad b", context: "good a" }, gold: { id: "2", answers: [], isImpossible: true }, place },
    ];
    const { features } = await modelOf(questionAnswering, examples, { stride: 4 });
    await expectSame(questionAnswering, examples, { settings: { stride: 4 }, sequences: features.length });
    expect(features.length).toBeGreaterThan(2);
  });

  test("of choices", async () => {
    const examples = [
      { input: { context: "good", choices: ["a", "bad b", "c"] }, gold: 1, place },
      { input: { context: "bad", choices: ["abc", "d"] }, gold: 0, place },
    ];
    await expectSame(multipleChoice, examples, { settings: {}, sequences: 5 });
  });

  test("of more than are run at once", async () => {
    const examples = Array.from({ length: 1030 }, (_, i) => ({
      input: { text: VOCABULARY[7 + (i % 26)] },
      gold: i % 7,
      place,
    }));
    await expectSame(regression, examples, { settings: {}, sequences: 1030 });
  });
});

test("an example that there is nothing to learn from is answered and counts in the score, not in the loss", async () => {
  const examples = ["a", "b", "c"].map((text, i) => ({ input: { text }, gold: i, place }));
  const { model: all, whole } = await modelOf(regression, examples.slice(1), {});
  const some = {
    ...regression,
    features: (example, encodings) => (example.gold === 0 ? [] : regression.features(example, encodings)),
  } as const satisfies typeof regression;
  const { model } = await modelOf(some, examples, {});
  const { evaluation } = await model.evaluate(examples);
  expect(evaluation.metrics).toMatchObject({ examples: 3, loss: expect.closeTo(whole, 6) });
  expect((await model.evaluate(examples.slice(0, 1))).evaluation.metrics).not.toHaveProperty("loss");
  expect((await all.evaluate(examples.slice(1))).evaluation.metrics.loss).toBeCloseTo(whole, 6);
});

test("prepared examples give the figures of examples", async () => {
  const examples = ["a", "bad", LONG].map((text, i) => ({ input: { text }, gold: i, place }));
  const { model, prepared } = await modelOf(regression, examples, {});
  expect(await model.evaluatePrepared(prepared)).toEqual(await model.evaluate(examples));
  expect((await model.evaluatePrepared(prepared)).truncated).toBe(1);
});
