import { beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../src/base/errors.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import {
  add,
  attention,
  dropout,
  gather,
  input,
  linear,
  parameter,
  positions,
  softmaxCrossEntropy,
  starts,
} from "../src/graph/build.ts";
import { differentiate } from "../src/graph/differentiate.ts";
import { type Executor, type LoadOptions, type RunOptions, type Value, vector } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { OpName } from "../src/graph/operations.ts";
import { initialise, type NamedParameters, Parameters } from "../src/graph/parameters.ts";
import { CASES_BY_OPERATION, type OperationCase } from "./operation-cases.ts";
import { backwardOf, forwardOf, operandsOf, type Runnable, type Values } from "./operation-graphs.ts";
import { relativeError } from "./relative-error.ts";

export interface ContractOptions {
  /** Largest relative error against the reference executor. */
  readonly tolerance: number;
  /** The same for an output `loss`, a sum of terms of both signs that partly cancel. Default: as for all others. */
  readonly lossTolerance?: number;
  /** Operations and promises that the executor lacks, each with the reason. */
  readonly skip?: Readonly<Partial<Record<OpName | typeof BUFFER_CHECK, string>>>;
}

/** Largest relative error of the output of a name. */
type Tolerance = (output: string) => number;

const BUFFER_CHECK = "output buffers that do not fit";

/** What any executor must do: compute as the reference does, and keep the promises of graph/executor.ts. */
export function describeExecutor(
  name: string,
  makeExecutor: () => Executor | Promise<Executor>,
  { tolerance: general, lossTolerance = general, skip = {} }: ContractOptions,
): void {
  const tolerance = (output: string) => (output === "loss" ? lossTolerance : general);
  describe(`executor ${name}`, () => {
    let executor: Executor;
    beforeAll(async () => {
      executor = await makeExecutor();
    });
    const reasons = new Map<string, string>(Object.entries(skip));
    const describeUnlessSkipped = (clause: string, define: () => void) => {
      const reason = reasons.get(clause);
      if (reason === undefined) describe(clause, define);
      else test(clause, ({ skip }) => skip(reason));
    };
    for (const { op, cases } of CASES_BY_OPERATION) {
      describeUnlessSkipped(op, () => describeOperation(() => executor, cases, tolerance));
    }
    describe("a run", () => describeRun(() => executor, tolerance));
    describe("a run is refused", () => describeRefusal(() => executor));
    describeUnlessSkipped(BUFFER_CHECK, () => describeBufferCheck(() => executor));
    describe("parameters", () => describeParameters(() => executor, tolerance));
  });
}

function describeOperation(executor: () => Executor, cases: readonly OperationCase[], tolerance: Tolerance): void {
  for (const operation of cases) {
    test(`${operation.title}: value`, async () => {
      await compare(executor(), forwardOf(operation, "inputs"), tolerance);
      await compare(executor(), forwardOf(operation, "parameters"), tolerance);
      await compare(executor(), forwardOf(operation, "parameters"), tolerance, { frozen: true });
    });
    if (operation.differentiable === false) continue;
    test(`${operation.title}: gradients`, async () => {
      const names = operandsOf(operation);
      await compare(executor(), backwardOf(operation, "parameters", names), tolerance);
      // Each one alone too: a gradient operation whose other outputs nobody reads.
      for (const name of names) await compare(executor(), backwardOf(operation, "inputs", [name]), tolerance);
    });
  }
}

async function compare(executor: Executor, runnable: Runnable, tolerance: Tolerance, options?: LoadOptions) {
  const expected = await runOnce(referenceExecutor, runnable);
  expectClose(await runOnce(executor, runnable, options), expected, tolerance);
}

async function runOnce(
  executor: Executor,
  { graph, parameters, inputs, seed }: Runnable,
  options?: LoadOptions,
): Promise<Values> {
  const executable = await executor.load(graph, parameters, options);
  const values = await executable.run(inputs, { seed });
  await executable.dispose();
  return values;
}

function expectClose(actual: Values, expected: Values, tolerance: Tolerance): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(actual[name].shape, `shape of ${name}`).toEqual(shape);
    expect(relativeError(actual[name].data, data), `error of ${name}`).toBeLessThanOrEqual(tolerance(name));
  }
}

/** A model with all that varies between runs, and two of its gradients, named as the parameters are. */
function makeModel(dropoutRate = 0): Graph {
  const lengths = input("lengths", "int32", ["B"]);
  const words = parameter("words", [11, 6], "normal");
  const weight = parameter("weight", [3, 6], "normal");

  const places = gather(parameter("places", [5, 6], "normal"), positions(lengths)); // [T, 6]
  const x = dropout(add(gather(words, input("ids", "int32", ["T"])), places), dropoutRate); // [T, 6]
  const attended = attention({ query: x, key: x, value: x, lengths }, { heads: 2, dropout: dropoutRate }); // [T, 6]
  const logits = linear(gather(attended, starts(lengths)), weight, parameter("bias", [3], "zeros")); // [B, 3]
  const labels = input("labels", "int32", ["B"]);
  const loss = softmaxCrossEntropy(logits, labels, input("rowWeights", "float32", ["B"])); // []

  const [dwords, dweight] = differentiate(loss, [words, weight]);
  return makeGraph({ loss, logits, words: dwords, weight: dweight });
}

function makeParameters(graph: Graph): Parameters {
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 1, 17);
  return parameters;
}

function ints(...values: readonly number[]) {
  return vector(Int32Array.from(values));
}

const BATCH: Values = {
  ids: ints(4, 0, 4, 10, 3, 9, 0),
  lengths: ints(3, 1, 3),
  labels: ints(2, 0, 1),
  rowWeights: vector(Float32Array.of(0.5, 0.25, 1)),
};

const SHORTER_BATCH: Values = {
  ids: ints(1, 2, 8, 8, 8),
  lengths: ints(4, 1),
  labels: ints(0, 2),
  rowWeights: vector(Float32Array.of(0.5, 0.5)),
};

function describeRun(executor: () => Executor, tolerance: Tolerance): void {
  const load = async (rate = 0) => {
    const graph = makeModel(rate);
    const parameters = makeParameters(graph);
    return { graph, parameters, executable: await executor().load(graph, parameters) };
  };

  test("takes batches of any size, one after another", async () => {
    const { graph, parameters, executable } = await load();
    for (const inputs of [BATCH, SHORTER_BATCH, BATCH]) {
      const expected = await runOnce(referenceExecutor, { graph, parameters, inputs, seed: undefined });
      expectClose(await executable.run(inputs), expected, tolerance);
    }
    await executable.dispose();
  });

  test("gives results that the next run leaves alone", async () => {
    const { executable } = await load();
    const first = await executable.run(BATCH);
    const copy = structuredClone(first);
    await executable.run(SHORTER_BATCH);
    expect(first).toEqual(copy);
    await executable.dispose();
  });

  test("gives a sequence the same result in any company", async () => {
    const { executable } = await load();
    const together = await executable.run(BATCH);
    const alone = await executable.run({
      ids: ints(10),
      lengths: ints(1),
      labels: ints(0),
      rowWeights: vector(Float32Array.of(1)),
    });
    expect(relativeError(alone.logits.data, together.logits.data.subarray(3, 6))).toBeLessThanOrEqual(
      tolerance("logits"),
    );
    await executable.dispose();
  });

  test("writes into the buffers that it is given, and not beside them", async () => {
    const { executable } = await load();
    const expected = await executable.run(BATCH);
    const flat = new Float32Array(1 + 11 * 6 + 1 + 3 * 6 + 1).fill(-7);
    const words = flat.subarray(1, 1 + 11 * 6);
    const weight = flat.subarray(2 + 11 * 6, -1);
    const values = await executable.run(BATCH, { outputs: { words, weight } });
    expect(Float32Array.from(values.words.data)).toEqual(words);
    expect(Float32Array.from(values.weight.data)).toEqual(weight);
    expect(words).toEqual(Float32Array.from(expected.words.data));
    expect(weight).toEqual(Float32Array.from(expected.weight.data));
    expect(values.logits).toEqual(expected.logits);
    expect([flat.at(0), flat[1 + 11 * 6], flat.at(-1)]).toEqual([-7, -7, -7]);
    await executable.dispose();
  });

  test("drops by its seed alone", async () => {
    const { graph, parameters, executable } = await load(0.3);
    const first = await executable.run(BATCH, { seed: 1 });
    const other = await executable.run(BATCH, { seed: 2 });
    expect(await executable.run(BATCH, { seed: 1 })).toEqual(first);
    expect(other.logits).not.toEqual(first.logits);
    const expected = await runOnce(referenceExecutor, { graph, parameters, inputs: BATCH, seed: 2 });
    expectClose(other, expected, tolerance);
    await executable.dispose();
  });

  test("is refused by a signal that has fired, and leaves the next one as it was", async () => {
    const { executable } = await load();
    const expected = await executable.run(BATCH, { signal: new AbortController().signal });
    const reason = new Error("enough");
    await expect(executable.run(BATCH, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await executable.run(BATCH)).toEqual(expected);
    await executable.dispose();
  });

  test("does not see what becomes of integers after it was asked for", async () => {
    const { executable } = await load();
    const expected = await executable.run(BATCH);
    const given = structuredClone(BATCH);
    const run = executable.run(given);
    for (const { data } of Object.values(given)) if (data instanceof Int32Array) data.fill(1_000_000);
    expect(await run).toEqual(expected);
    await executable.dispose();
  });

  test("is refused behind a disposal, which may be repeated", async () => {
    const { executable } = await load();
    await executable.run(BATCH);
    await Promise.all([executable.dispose(), executable.dispose()]);
    await expect(executable.run(BATCH)).rejects.toMatchObject({ name: "ClozeError", code: "DISPOSED" });
    await executable.dispose();
  });

  test("outlives the disposal of another executable", async () => {
    const { graph, parameters, executable } = await load();
    const other = await executor().load(graph, parameters);
    const expected = await executable.run(BATCH);
    await executable.dispose();
    expect(await other.run(BATCH)).toEqual(expected);
    await other.dispose();
  });
}

/** Runs that must be refused before anything is computed: what is wrong, the inputs in place of the batch's, the code. */
const REFUSALS: readonly (readonly [string, Values, ErrorCode])[] = [
  ["a matrix for a vector", { labels: { data: Int32Array.of(2, 0, 1), shape: [1, 3] } }, "INPUT_SHAPE"],
  ["fewer numbers than the shape says", { labels: { data: Int32Array.of(2, 0), shape: [3] } }, "INPUT_SHAPE"],
  ["floats for integers", { labels: vector(Float32Array.of(2, 0, 1)) }, "INPUT_SHAPE"],
  ["two sizes for one letter", { labels: ints(2, 0) }, "INPUT_SHAPE"],
  ["an id beyond the table", { ids: ints(4, 0, 4, 11, 3, 9, 0) }, "ID_OUT_OF_RANGE"],
  ["a negative id", { ids: ints(4, 0, 4, -1, 3, 9, 0) }, "ID_OUT_OF_RANGE"],
  ["a label beyond the logits", { labels: ints(2, 3, 1) }, "ID_OUT_OF_RANGE"],
  ["lengths that do not add up to the tokens", { lengths: ints(3, 1, 2) }, "ID_OUT_OF_RANGE"],
  ["an empty sequence", { lengths: ints(3, 0, 4) }, "ID_OUT_OF_RANGE"],
  [
    "a sequence longer than the table of positions",
    { ...SHORTER_BATCH, ids: ints(1, 2, 3, 4, 5, 6, 7), lengths: ints(6, 1) },
    "ID_OUT_OF_RANGE",
  ],
];

/** The run throws the code, and the executable is as good as before. */
async function expectRefusal(executor: Executor, inputs: Values, options: RunOptions, code: ErrorCode): Promise<void> {
  const graph = makeModel(0.3);
  const executable = await executor.load(graph, makeParameters(graph));
  const expected = await executable.run(BATCH, { seed: 1 });
  await expect(executable.run(inputs, options)).rejects.toMatchObject({ name: "ClozeError", code });
  expect(await executable.run(BATCH, { seed: 1 })).toEqual(expected);
  await executable.dispose();
}

function describeRefusal(executor: () => Executor): void {
  test.each(REFUSALS)("for %s", async (_, changes, code) => {
    await expectRefusal(executor(), { ...BATCH, ...changes }, { seed: 1 }, code);
  });

  test.each([
    ["bytes", Uint8Array.of(1, 2, 3)],
    ["a Buffer", Buffer.of(1, 2, 3)],
  ])("for %s for floats", async (_, data) => {
    // @ts-expect-error: no numbers that a kernel reads
    const rowWeights: Value = { data, shape: [3] };
    await expectRefusal(executor(), { ...BATCH, rowWeights }, { seed: 1 }, "INPUT_SHAPE");
  });

  test("for an input left out", async () => {
    const { labels, ...others } = BATCH;
    await expectRefusal(executor(), others, { seed: 1 }, "INPUT_MISSING");
  });

  test("for dropout without a seed", () => expectRefusal(executor(), BATCH, {}, "SEED_MISSING"));
}

function describeBufferCheck(executor: () => Executor): void {
  test.each([
    ["too small", { weight: new Float32Array(17) }],
    ["too large", { weight: new Float32Array(19) }],
    ["for no output", { places: new Float32Array(30) }],
  ])("%s", (_, outputs) => expectRefusal(executor(), BATCH, { seed: 1, outputs }, "INPUT_SHAPE"));

  test.each([
    ["bytes", new Uint8Array(18)],
    ["a Buffer", Buffer.alloc(18)],
    ["float64", new Float64Array(18)],
  ])("of %s", async (_, weight) => {
    // @ts-expect-error: no floats of 32 bits
    const outputs: RunOptions["outputs"] = { weight };
    await expectRefusal(executor(), BATCH, { seed: 1, outputs }, "INPUT_SHAPE");
  });
}

function describeParameters(executor: () => Executor, tolerance: Tolerance): void {
  const graph = makeModel();

  test("that change between runs are read anew", async () => {
    const parameters = makeParameters(graph);
    const executable = await executor().load(graph, parameters);
    await executable.run(BATCH);
    initialise(parameters, 0.5, 18);
    const expected = await runOnce(referenceExecutor, { graph, parameters, inputs: BATCH, seed: undefined });
    expectClose(await executable.run(BATCH), expected, tolerance);
    await executable.dispose();
  });

  test("that are frozen give the same results", async () => {
    await compare(executor(), { graph, parameters: makeParameters(graph), inputs: BATCH, seed: undefined }, tolerance, {
      frozen: true,
    });
  });

  test("may be more than the graph reads", async () => {
    const parameters = new Parameters([{ name: "unread", shape: [2, 3], initial: "ones" }, ...graph.parameters]);
    initialise(parameters, 1, 17);
    await compare(executor(), { graph, parameters, inputs: BATCH, seed: undefined }, tolerance);
  });

  test.each([false, true])("may not be fewer (frozen: %s)", async (frozen) => {
    const parameters = new Parameters(graph.parameters.slice(1));
    await expect(executor().load(graph, parameters, { frozen })).rejects.toMatchObject({ code: "NAME_UNKNOWN" });
  });

  test.each([false, true])("may not have fewer numbers than their shapes (frozen: %s)", async (frozen) => {
    const whole = makeParameters(graph);
    for (const { name } of graph.parameters) {
      const parameters: NamedParameters = {
        get(asked) {
          const { spec, data } = whole.get(asked);
          return { spec, data: asked === name ? data.subarray(1) : data };
        },
      };
      const run = async () => (await executor().load(graph, parameters, { frozen })).run(BATCH);
      await expect(run(), name).rejects.toMatchObject({ code: "PARAMETER_SHAPE" });
    }
  });
}
