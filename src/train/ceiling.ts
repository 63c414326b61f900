import { gather, input, linear, matmul, parameter, sumRows } from "../graph/build.ts";
import { type Executor, type LoadOptions, type TimedCall, type Value, vector } from "../graph/executor.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import { bindShape } from "../graph/inputs.ts";
import type { Tensor } from "../graph/operations.ts";
import { Parameters, sizeOf } from "../graph/parameters.ts";

interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly count: number;
}

/** What one product takes at best, in one of its forms. */
export interface ProductTime {
  readonly flop: number;
  readonly seconds: number;
  /** How many of them there are. */
  readonly count: number;
}

const ROUNDS = 4;

/**
 * The matrix-product ceiling of a training step on this machine: floating-point operations a second of its products alone,
 * each in the three forms of a linear layer, one after another; with frozen weights, of a step of inference.
 */
export async function measureCeiling(
  executor: Executor,
  products: readonly Product[],
  options: LoadOptions = {},
): Promise<number> {
  const times = await measureProducts(executor, products, options);
  const total = (read: (time: ProductTime) => number) => times.reduce((sum, time) => sum + time.count * read(time), 0);
  return total(({ flop }) => flop) / total(({ seconds }) => seconds);
}

/**
 * The fastest of four runs of each product in the three forms of a linear layer: x Wᵀ, dy W, dyᵀ x; with frozen weights the
 * first alone. Of an executor that times its kernels it is the product's time alone, among activations, which it may store
 * in a type of its own; of any other a run with nothing else in it.
 */
export async function measureProducts(
  executor: Executor,
  products: readonly Product[],
  options: LoadOptions = {},
): Promise<ProductTime[]> {
  const times: ProductTime[] = [];
  for (const product of products) {
    const { rows, inner, columns, count } = product;
    for (const form of options.frozen ? FORMS.slice(0, 1) : FORMS) {
      const seconds =
        (await kernelSeconds(executor, product, form, options)) ?? (await runSeconds(executor, product, form, options));
      times.push({ flop: 2 * rows * inner * columns, seconds, count });
    }
  }
  return times;
}

/** The factors of a form; the activations x [T, I] and dy [T, C] come from the caller. */
type Form = (x: Tensor, dy: Tensor) => Tensor;

const FORMS: readonly Form[] = [
  (x, dy) => linear(x, weightOf(x, dy), parameter("bias", [Number(dy.shape[1])], "zeros")), // [T, C]
  (x, dy) => matmul(dy, weightOf(x, dy)), // [T, I]
  (x, dy) => matmul(dy, x, { transposeA: true }), // [C, I]
];

function weightOf(x: Tensor, dy: Tensor): Tensor {
  return parameter("weight", [Number(dy.shape[1]), Number(x.shape[1])], "normal"); // [C, I]
}

/** Rows that activations are gathered from. */
const TABLE = 256;

/** Undefined where kernels are not timed. */
async function kernelSeconds(
  executor: Executor,
  product: Product,
  form: Form,
  options: LoadOptions,
): Promise<number | undefined> {
  const { rows, inner: I, columns: C } = product;
  const indices = input("indices", "int32", ["T"]);
  const activations = (name: string, width: number) => gather(parameter(name, [TABLE, width], "normal"), indices); // [T, width]
  const y = sumRows(form(activations("x", I), activations("dy", C)));
  const inputs = { indices: vector(Int32Array.from({ length: rows }, (_, i) => i % TABLE)) };
  let best: number | undefined;
  for await (const { calls } of timedRuns(executor, makeGraph({ y }), inputs, options)) {
    const call = calls.find(({ family }) => family === "products");
    if (call === undefined) return undefined;
    best = Math.min(best ?? call.seconds, call.seconds);
  }
  return best;
}

async function runSeconds(executor: Executor, product: Product, form: Form, options: LoadOptions): Promise<number> {
  const { rows, inner: I, columns: C } = product;
  const graph = makeGraph({ y: form(input("x", "float32", ["T", I]), input("dy", "float32", ["T", C])) });
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, filled([rows, name === "x" ? I : C])]));
  const size = sizeOf(bindShape(graph.outputs.y.shape, new Map([["T", rows]])));
  const outputs = { y: new Float32Array(size).fill(1) }; // filled: zeros may have no memory yet
  let best = Number.POSITIVE_INFINITY;
  for await (const { seconds } of timedRuns(executor, graph, inputs, options, outputs)) best = Math.min(best, seconds);
  return best;
}

interface TimedRun {
  readonly seconds: number;
  /** Empty where the executor does not time its kernels. */
  readonly calls: readonly TimedCall[];
}

async function* timedRuns(
  executor: Executor,
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  options: LoadOptions,
  outputs: Readonly<Record<string, Float32Array>> = {},
): AsyncGenerator<TimedRun> {
  const parameters = new Parameters(graph.parameters);
  fill(parameters.buffer);
  const executable = await executor.load(graph, parameters, options);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      let calls: readonly TimedCall[] = [];
      const start = performance.now();
      await executable.run(inputs, {
        outputs,
        onCalls: (told) => {
          calls = told;
        },
      });
      yield { seconds: (performance.now() - start) / 1000, calls };
    }
  } finally {
    await executable.dispose();
  }
}

function filled(shape: readonly [number, number]): Value {
  return { ...vector(fill(new Float32Array(shape[0] * shape[1]))), shape };
}

function fill(numbers: Float32Array): Float32Array {
  for (let i = 0; i < numbers.length; i++) numbers[i] = (i % 1021) / 1021 - 0.5;
  return numbers;
}
