/** No input, however wrong, makes a kernel read or write where it must not: bad ones are refused before any runs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ClozeError } from "../src/base/errors.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import {
  add,
  attention,
  gather,
  input,
  linear,
  parameter,
  positions,
  segmentCrossEntropy,
  softmaxCrossEntropy,
  starts,
} from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Value, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { describeNative, differences } from "./native-kernels.ts";
import type { Values } from "./operation-graphs.ts";

const [WORDS, PLACES, LABELS] = [11, 7, 3];

/** Everything that reads by numbers of its inputs: words, places, tokens, labels, and labels within groups. */
const GRAPH = (() => {
  const lengths = input("lengths", "int32", ["B"]);
  const word = gather(parameter("words", [WORDS, 6], "normal"), input("ids", "int32", ["T"]));
  const x = add(word, gather(parameter("places", [PLACES, 6], "normal"), positions(lengths))); // [T, 6]
  const attended = attention({ query: x, key: x, value: x, lengths }, { heads: 2 }); // [T, 6]
  const chosen = gather(attended, input("chosen", "int32", ["M"])); // [M, 6]
  const logits = linear(chosen, parameter("weight", [LABELS, 6], "normal"), parameter("bias", [LABELS], "zeros"));
  const weights = input("weights", "float32", ["M"]);
  const words = softmaxCrossEntropy(logits, input("labels", "int32", ["M"]), weights);
  const first = linear(
    gather(attended, starts(lengths)),
    parameter("score", [2, 6], "normal"),
    parameter("shift", [2], "zeros"),
  ); // [B, 2]
  const groups = input("groups", "int32", ["E"]);
  const answers = input("answers", "int32", ["E", 2]);
  const choices = segmentCrossEntropy(first, groups, answers, input("groupWeights", "float32", ["E"]));
  const loss = add(words, choices);
  return makeGraph({ loss, ...parameterGradients(loss) });
})();

const ints = (...numbers: number[]) => vector(Int32Array.from(numbers));

const BATCH: Values = {
  ids: ints(4, 0, 10, 10, 3, 9, 0, 1, 2, 8, 5, 6),
  lengths: ints(3, 1, 7, 1),
  chosen: ints(0, 11, 5),
  labels: ints(2, 0, 1),
  weights: vector(Float32Array.of(0.5, 0.25, 1)),
  groups: ints(1, 3),
  answers: { data: Int32Array.of(0, 0, 2, 1), shape: [2, 2] },
  groupWeights: vector(Float32Array.of(1, 0.5)),
};

/** What each number must be below. */
const LIMITS = { ids: WORDS, chosen: 12, labels: LABELS, answers: 3 };

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const outside = (limit: number) =>
  fc.oneof(fc.integer({ ...INT32, max: -1 }), fc.integer({ ...INT32, min: limit }), fc.constantFrom(-1, limit));

const integersOf = (name: string) => Int32Array.from(BATCH[name].data);
const withNumbers = (name: string, data: Value["data"]): Values => ({ ...BATCH, [name]: { ...BATCH[name], data } });

/** One number that is out of range. */
const wrongNumber = fc
  .constantFrom<keyof typeof LIMITS>("ids", "chosen", "labels", "answers")
  .chain((name) => fc.tuple(fc.constant(name), fc.nat(BATCH[name].data.length - 1), outside(LIMITS[name])))
  .map(([name, at, number]) => withNumbers(name, integersOf(name).fill(number, at, at + 1)));

/** Lengths that do not divide what they should, or of which one is no length; also with the right sum. */
const wrongLengths = fc
  .constantFrom("lengths", "groups")
  .chain((name) => {
    const before = integersOf(name);
    const index = fc.nat(before.length - 1);
    return fc.tuple(fc.constant(name), index, index, fc.integer(INT32), fc.boolean());
  })
  .map(([name, at, other, number, keepSum]) => {
    const data = integersOf(name);
    if (keepSum && at !== other) data[other] += data[at] - number;
    data[at] = number;
    return withNumbers(name, data);
  })
  .filter((inputs) => !isPossible(inputs));

/** Whether lengths are right by chance. */
function isPossible({ lengths, groups, answers }: Values): boolean {
  const sum = (data: Value["data"]) => Array.from(data).reduce((a, b) => a + b, 0);
  const fits = (data: Value["data"], total: number) => Array.from(data).every((n) => n >= 1) && sum(data) === total;
  return (
    fits(lengths.data, 12) &&
    Math.max(...lengths.data) <= PLACES &&
    fits(groups.data, 4) &&
    Array.from(answers.data).every((answer, i) => answer < groups.data[i >> 1])
  );
}

/** A value of another type, size or shape. */
const wrongForm = fc
  .tuple(
    fc.constantFrom(...Object.keys(BATCH)),
    fc.constantFrom("type", "longer", "shorter", "flat", "empty", "minus", "part"),
  )
  .map(([name, how]): Values => {
    const { data, shape } = BATCH[name];
    const numbers = Array.from(data);
    const like = (values: number[]) =>
      data instanceof Int32Array ? Int32Array.from(values) : Float32Array.from(values);
    const forms: Record<string, Value> = {
      type: { data: data instanceof Int32Array ? Float32Array.from(numbers) : Int32Array.from(numbers), shape },
      longer: { data: like([...numbers, 0]), shape },
      shorter: { data: like(numbers.slice(1)), shape },
      flat: { data, shape: [...shape, 1] },
      empty: { data: like([]), shape: shape.map(() => 0) },
      minus: { data, shape: shape.map((size) => -size) },
      part: { data: like(numbers), shape: [numbers.length / 2 + 0.25, ...shape.slice(1)] },
    };
    return { ...BATCH, [name]: forms[how] };
  });

describeNative("native executor, wrong inputs", () => {
  let runs = 0;
  const load = async () => {
    const parameters = new Parameters(GRAPH.parameters);
    initialise(parameters, 1, 17);
    return nativeExecutor({ threads: 2 }).load(GRAPH, parameters);
  };

  test("reach no kernel, and leave the executable as it was", async () => {
    const executable = await load();
    const expected = await executable.run(BATCH);
    const wrong = fc.oneof(wrongNumber, wrongLengths, wrongForm);
    await fc.assert(
      fc.asyncProperty(wrong, async (inputs) => {
        runs = 0;
        const error: unknown = await executable
          .run(inputs, { onCalls: () => runs++ })
          .catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ClozeError);
        expect(error).toMatchObject({ code: expect.stringMatching(/^(INPUT_SHAPE|ID_OUT_OF_RANGE)$/) });
        expect(runs).toBe(0);
      }),
      { numRuns: 1000 },
    );
    expect(differences(await executable.run(BATCH), expected)).toEqual([]);
    await executable.dispose();
  });

  test("that are numbers all the same, such as NaN, do no harm", async () => {
    const executable = await load();
    const expected = await executable.run(BATCH);
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const { loss } = await executable.run(withNumbers("weights", new Float32Array(3).fill(number)));
      expect(Number.isFinite(loss.data[0])).toBe(false); // which training refuses: LOSS_NOT_FINITE
      expect(differences(await executable.run(BATCH), expected)).toEqual([]);
    }
    await executable.dispose();
  });
});
