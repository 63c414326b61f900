/** Graphs that the native executor computes in another way than they are written: fused, packed, in blocks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { compileNative } from "../src/executors/native/compile.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import {
  activation,
  add,
  attention,
  dropout,
  gather,
  input,
  layerNorm,
  linear,
  matmul,
  parameter,
  softmaxCrossEntropy,
} from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { type Executor, type Value, vector } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { ActivationKind, Tensor } from "../src/graph/operations.ts";
import { initialise, Parameters, sizeOf } from "../src/graph/parameters.ts";
import { describeFloats, describeNative, describeWays, differences } from "./native-kernels.ts";
import type { Operands, OperationCase } from "./operation-cases.ts";
import { backwardOf, forwardOf, operandsOf, type Runnable, type Values } from "./operation-graphs.ts";
import { RANDOM_CASES } from "./random-cases.ts";
import { relativeError } from "./relative-error.ts";

const KINDS: readonly ActivationKind[] = ["gelu", "gelu_new", "relu", "silu", "tanh"];
const SEED = 11;

/**
 * As for the contract (executors.test.ts). The deepest pattern rounds a dozen times to 8 bits: measured at up to 0.034 of
 * an output's largest number. What a wrong fusion gives is off by as much as it is large.
 */
const TOLERANCES = { float32: 1e-5, bfloat16: 0.06 };

/**
 * Tolerances of random cases are of at least so much: their operands are about 1, but a sum of few of them, or of both
 * signs, may be so small that it is all rounding error, which over 150 rows of bfloat16 is up to 0.02.
 */
const SMALLEST = 1;

/** Rows of two blocks and some more, columns of one panel and some more. */
const TOKENS = 29;
const WIDTH = 37;

const product = (o: Operands, name: string, x: Tensor, width = WIDTH) =>
  linear(x, o.float(`${name}.weight`, [width, sizeOfLast(x)]), o.float(`${name}.bias`, [width]));

function sizeOfLast({ shape }: Tensor): number {
  const last = shape.at(-1);
  if (typeof last !== "number") throw new Error("the last dimension is a letter");
  return last;
}

const source = (o: Operands) => o.float("x", ["T", WIDTH]);

/** Where a product meets what it may be fused with, and where it must not be. */
const PATTERNS: Readonly<Record<string, (o: Operands) => Tensor>> = {
  ...Object.fromEntries(
    KINDS.flatMap((kind): [string, (o: Operands) => Tensor][] => [
      [`${kind} of a product`, (o) => activation(product(o, "p", source(o)), kind)],
      [
        `${kind} between two products`,
        (o) => product(o, "q", activation(product(o, "p", source(o), 45), kind)), // the gradient of one is a product too
      ],
    ]),
  ),
  "a product and its input": (o) => {
    const x = source(o);
    return add(product(o, "p", x), x);
  },
  "an input and its product": (o) => {
    const x = source(o);
    return add(x, product(o, "p", x));
  },
  "an input and what is left of its product": (o) => {
    const x = source(o);
    return add(x, dropout(product(o, "p", x), 0.3));
  },
  "what is left of a product, and its input": (o) => {
    const x = source(o);
    return add(dropout(product(o, "p", x), 0.3), x);
  },
  "two products": (o) => {
    const x = source(o);
    return add(product(o, "p", x), product(o, "q", x));
  },
  "what is left of a product, and another": (o) => {
    const x = source(o);
    return add(dropout(product(o, "p", x), 0.3), product(o, "q", x));
  },
  "what is left of two products": (o) => {
    const x = source(o);
    return add(dropout(product(o, "p", x), 0.3), dropout(product(o, "q", x), 0.5));
  },
  "a product twice": (o) => {
    const p = product(o, "p", source(o));
    return add(p, p);
  },
  "what is left of a product, twice": (o) => {
    const left = dropout(product(o, "p", source(o)), 0.3);
    return add(left, left);
  },
  "what two dropouts leave of one product": (o) => {
    const p = product(o, "p", source(o));
    return add(dropout(p, 0.3), dropout(p, 0.5));
  },
  "a product and what is left of it": (o) => {
    const p = product(o, "p", source(o));
    return add(p, dropout(p, 0.3));
  },
  "a product and an activation of it": (o) => {
    const p = product(o, "p", source(o));
    return add(activation(p, "gelu"), p);
  },
  "two activations of a product": (o) => {
    const p = product(o, "p", source(o));
    return add(activation(p, "gelu"), activation(p, "tanh"));
  },
  "two activations alike of a product": (o) => {
    const p = product(o, "p", source(o));
    return add(activation(p, "silu"), activation(p, "silu"));
  },
  "a dropout of an activation of a product": (o) => dropout(activation(product(o, "p", source(o)), "gelu"), 0.2),
  "an activation of a dropout of a product": (o) => activation(dropout(product(o, "p", source(o)), 0.2), "gelu"),
  "a dropout of a dropout of a product, and the input": (o) => {
    const x = source(o);
    return add(dropout(dropout(product(o, "p", x), 0.2), 0.4), x);
  },
  "a product of a sum with a product": (o) => {
    const x = source(o);
    return product(o, "q", add(x, product(o, "p", x)), 5);
  },
  "a layer of BERT without attention": (o) => {
    const x = source(o);
    const norm = (name: string, y: Tensor) =>
      layerNorm(y, o.float(`${name}.weight`, [WIDTH]), o.float(`${name}.bias`, [WIDTH]), 1e-12);
    const h = norm("first", add(x, dropout(product(o, "dense", x), 0.1)));
    const narrow = product(o, "narrow", activation(product(o, "wide", h, 45), "gelu"));
    return norm("second", add(h, dropout(narrow, 0.1)));
  },
};

const PATTERN_CASES: readonly OperationCase[] = Object.entries(PATTERNS).map(([title, build]) => ({
  title,
  sizes: { T: TOKENS },
  seed: SEED,
  spread: 0.4, // so that a sum of WIDTH products is about as large as its terms
  build,
}));

const counting = (count: number, below: number) => Array.from({ length: count }, (_, i) => (i * 37 + (i >> 3)) % below);

/** Larger than the blocks, chunks and panels that kernels cut their work into, and no multiple of them. */
const LARGE_CASES: readonly OperationCase[] = [
  {
    title: "a linear layer whose weight's gradient sums over many rows",
    sizes: { T: 1301 },
    spread: 0.3,
    build: (o) => product(o, "p", o.float("x", ["T", 19]), 45),
  },
  {
    title: "a linear layer that sums over many columns, and an activation",
    sizes: { T: 151 },
    spread: 0.2,
    build: (o) => activation(product(o, "p", o.float("x", ["T", 1103]), 70), "gelu"),
  },
  {
    title: "a linear layer of many outputs, with dropout and a sum",
    sizes: { T: 90 },
    seed: SEED,
    spread: 0.3,
    build: (o) => add(o.float("y", ["T", 1501]), dropout(product(o, "p", o.float("x", ["T", 33]), 1501), 0.2)),
  },
  {
    title: "attention in long sequences, with dropout",
    sizes: { B: 5, T: 407 },
    seed: SEED,
    build: ({ float, int }) => {
      const [query, key, value] = ["query", "key", "value"].map((name) => float(name, ["T", 42]));
      return attention(
        { query, key, value, lengths: int("lengths", ["B"], [200, 1, 97, 96, 13]) },
        { heads: 2, dropout: 0.1 },
      );
    },
  },
  {
    title: "attention with wide heads",
    sizes: { B: 2, T: 60 },
    spread: 0.5,
    build: ({ float, int }) => {
      const [query, key, value] = ["query", "key", "value"].map((name) => float(name, ["T", 146]));
      return attention({ query, key, value, lengths: int("lengths", ["B"], [23, 37]) }, { heads: 2 });
    },
  },
  {
    title: "layer normalisation",
    sizes: { T: 301 },
    build: ({ float }) => layerNorm(float("x", ["T", 131]), float("weight", [131]), float("bias", [131]), 1e-12),
  },
  {
    title: "dropout of an activation",
    sizes: { T: 301 },
    seed: SEED,
    build: ({ float }) => dropout(activation(float("x", ["T", 101]), "gelu_new"), 0.5),
  },
  {
    title: "rows of a large table, and their sums",
    sizes: { T: 501 },
    build: ({ float, int }) => gather(float("table", [301, 203]), int("ids", ["T"], counting(501, 301))),
  },
  {
    title: "the cross-entropy of a large vocabulary",
    sizes: { T: 41 },
    build: ({ float, fixed, int }) =>
      softmaxCrossEntropy(
        float("logits", ["T", 9001]),
        int("labels", ["T"], counting(41, 9001)),
        fixed("weights", ["T"]),
      ),
  },
];

async function runOnce(executor: Executor, { graph, parameters, inputs, seed }: Runnable): Promise<Values> {
  const executable = await executor.load(graph, parameters);
  const values = await executable.run(inputs, { seed });
  await executable.dispose();
  return values;
}

/**
 * Every output, but for those left out, is the reference's up to the tolerance: of its largest number, or of `smallest`
 * where that is larger, as where an activation is flat its slope is all rounding error.
 */
async function expectReference(
  executor: Executor,
  runnable: Runnable,
  tolerance: number,
  leaveOut: readonly string[] = [],
  smallest = 0,
): Promise<void> {
  const expected = await runOnce(referenceExecutor, runnable);
  const actual = await runOnce(executor, runnable);
  const names = Object.keys(expected).filter((name) => !leaveOut.includes(name));
  const errors = names.map((name) => [
    name,
    relativeError([...actual[name].data, smallest], [...expected[name].data, smallest]),
  ]);
  expect(errors.filter(([, error]) => !(Number(error) <= tolerance))).toEqual([]);
}

/** Value and gradients of a case are the reference's. */
async function expectCase(executor: Executor, operation: OperationCase, smallest = 0): Promise<void> {
  const type = typeOf(executor);
  const tolerance = TOLERANCES[type];
  // Weighted with both signs, a loss is far smaller than its terms, and than their rounding errors.
  const leaveOut = type === "bfloat16" ? ["loss"] : [];
  await expectReference(executor, forwardOf(operation, "parameters"), tolerance, [], smallest);
  if (operation.differentiable === false) return;
  const backward = backwardOf(operation, "parameters", operandsOf(operation));
  await expectReference(executor, backward, tolerance, leaveOut, smallest);
}

function typeOf({ name }: Executor): keyof typeof TOLERANCES {
  return name.includes("bfloat16") ? "bfloat16" : "float32";
}

function randomValue(shape: readonly number[], ...keys: readonly (number | string)[]): Value {
  const random = Random.of(...keys);
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal()) };
}

/** A feed-forward layer with dropout and residual, its loss and gradients, and its two products by name. */
function feedForward() {
  const x = input("x", "float32", ["T", WIDTH]);
  const dense = (name: string, y: Tensor, from: number, to: number) =>
    linear(y, parameter(`${name}.weight`, [to, from], "normal"), parameter(`${name}.bias`, [to], "normal"));
  const wide = dense("wide", x, WIDTH, 45); // [T, 45]
  const narrow = dense("narrow", activation(wide, "gelu"), 45, WIDTH); // [T, 37]
  const logits = dense("logits", add(x, dropout(narrow, 0.3)), WIDTH, 5); // [T, 5]
  const loss = softmaxCrossEntropy(logits, input("labels", "int32", ["T"]), input("weights", "float32", ["T"]));
  return { losses: { loss, ...parameterGradients(loss) }, products: { wide, narrow } };
}

function runFeedForward(graph: Graph): Runnable {
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 0.3, 3);
  const inputs = {
    x: randomValue([TOKENS, WIDTH], "x"),
    labels: vector(Int32Array.from({ length: TOKENS }, (_, i) => i % 5)),
    weights: vector(new Float32Array(TOKENS).fill(1 / TOKENS)),
  };
  return { graph, parameters, inputs, seed: SEED };
}

/** The kernels that a graph becomes, and how often each is called. */
function kernelsOf(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kernel } of compileNative(graph, { activationType: "float32", frozen: false, panelColumns: 32 }).calls)
    counts[kernel] = (counts[kernel] ?? 0) + 1;
  return counts;
}

/** A step of a random program: what it does to which of the tensors before it. */
const STEP = fc.record({
  kind: fc.constantFrom("linear", "add", "dropout", "gelu", "gelu_new", "silu", "tanh"),
  from: fc.nat(),
  other: fc.nat(),
  width: fc.integer({ min: 1, max: 70 }),
});
const SIZE = fc.integer({ min: 1, max: 70 });
const THREADS = fc.integer({ min: 1, max: 3 });
const PROGRAM = fc.record({
  tokens: SIZE,
  width: SIZE,
  steps: fc.array(STEP, { minLength: 2, maxLength: 8 }),
  outputs: fc.array(fc.nat(), { maxLength: 2 }),
  seed: fc.nat({ max: 0xffffffff }),
});
type Program = typeof PROGRAM extends fc.Arbitrary<infer T> ? T : never;

/** The loss of the last tensor, all gradients, and some tensors on the way. */
function buildProgram({ tokens, width, steps, outputs, seed }: Program): Runnable {
  const tensors = [linearOf(input("x", "float32", ["T", width]), width, "first")];
  steps.forEach(({ kind, from, other, width: columns }, i) => {
    const x = tensors[from % tensors.length];
    if (kind === "linear") tensors.push(linearOf(x, columns, `step${i}`));
    else if (kind === "dropout") tensors.push(dropout(x, 0.3));
    else if (kind === "add") {
      const alike = tensors.filter(({ shape }) => shape[1] === x.shape[1]);
      tensors.push(add(x, alike[other % alike.length]));
    } else tensors.push(activation(x, kind));
  });
  const labels = input("labels", "int32", ["T"]);
  const loss = softmaxCrossEntropy(linearOf(tensors.at(-1)!, 3, "last"), labels, input("weights", "float32", ["T"]));
  const seen = Object.fromEntries(outputs.map((i) => [`tensor ${i % tensors.length}`, tensors[i % tensors.length]]));
  const graph = makeGraph({ loss, ...parameterGradients(loss), ...seen });
  const parameters = new Parameters(graph.parameters);
  for (const { spec, data } of parameters.views) {
    const random = Random.of(seed, spec.name);
    // Nothing grows by a layer, and no label is certain.
    const bound = (spec.name.startsWith("last") ? 0.1 : 1) / Math.sqrt(spec.shape.at(-1)!);
    for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1);
  }
  const inputs = {
    x: randomValue([tokens, width], seed, "x"),
    labels: vector(Int32Array.from({ length: tokens }, (_, i) => i % 3)),
    weights: vector(new Float32Array(tokens).fill(1)),
  };
  return { graph, parameters, inputs, seed };
}

function linearOf(x: Tensor, width: number, name: string): Tensor {
  const weight = parameter(`${name}.weight`, [width, sizeOfLast(x)], "normal");
  return linear(x, weight, parameter(`${name}.bias`, [width], "normal"));
}

/** Numbers that a bfloat16 holds exactly, so that products of them are exact and only sums are rounded. */
function short({ data, shape }: Value): Value {
  const bits = new Uint32Array(Float32Array.from(data).buffer).map((word) => word & 0xffff0000);
  return { data: new Float32Array(bits.buffer), shape };
}

describeNative("native executor, graphs", (addon) => {
  describe("a pattern that is fused or must not be: value and gradients are the reference's", () => {
    describeWays(addon, (open) => {
      test.each(PATTERN_CASES)("$title", (pattern) => expectCase(open(), pattern));
    });
  });

  describe("more than a kernel's block of rows, columns or numbers: value and gradients are the reference's", () => {
    describeWays(addon, (open) => {
      test.each(LARGE_CASES)("$title", (large) => expectCase(open(), large));
    });
  });
  describe("a product whose result is an output of the run", () => {
    const { losses, products } = feedForward();
    const fused = makeGraph(losses);
    const plain = makeGraph({ ...losses, ...products });

    test("is not fused", () => {
      expect(kernelsOf(fused)).not.toHaveProperty("activation");
      expect(kernelsOf(fused)).not.toHaveProperty("add");
      expect(kernelsOf(fused).dropout).toBe(1); // the gradient's
      expect(kernelsOf(plain)).toMatchObject({ activation: 1, add: 1, dropout: 2 });
    });

    test("is given, and leaves the others as they were", async () => {
      const executor = nativeExecutor();
      await expectReference(executor, runFeedForward(plain), TOLERANCES.float32);
      const alone = await runOnce(executor, runFeedForward(fused));
      const { wide, narrow, ...others } = await runOnce(executor, runFeedForward(plain));
      expect([wide.shape, narrow.shape]).toEqual([
        [TOKENS, 45],
        [TOKENS, WIDTH],
      ]);
      expect(differences(others, alone)).toEqual([]);
    });
  });

  describe("random graphs", () => {
    describeFloats(addon, (open) => {
      test("of linear layers, sums, dropouts and activations: outputs and all gradients are the reference's", async () => {
        await fc.assert(
          fc.asyncProperty(PROGRAM, THREADS, async (program, threads) => {
            const executor = open({ threads });
            const type = typeOf(executor);
            // A gradient sums over tokens, with both signs. Of 500 programs in bfloat16 none came beyond the tolerance.
            const smallest = type === "bfloat16" ? Math.max(1, program.tokens / 20) : 0.1;
            await expectReference(executor, buildProgram(program), TOLERANCES[type], [], smallest);
          }),
          { numRuns: 50 },
        );
      });

      test.each(Object.entries(RANDOM_CASES))("of %s: value and gradients are the reference's", async (_, cases) => {
        await fc.assert(
          fc.asyncProperty(cases, THREADS, async (operation, threads) => {
            const executor = open({ threads });
            await expectCase(executor, operation, SMALLEST);
          }),
          { numRuns: 10 },
        );
      });
    });

    describeWays(addon, (open) => {
      /** A product of an input and an input or a parameter, frozen or not. */
      const PRODUCT = fc.record({
        tokens: SIZE,
        columns: SIZE,
        inner: SIZE,
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        frozen: fc.boolean(),
        threads: THREADS,
      });

      test("of one product, either side transposed: exact up to the rounding of sums", async () => {
        await fc.assert(
          fc.asyncProperty(PRODUCT, async ({ tokens, columns, inner, transposeA, transposeB, frozen, threads }) => {
            const left = transposeA ? [inner, tokens] : [tokens, inner];
            const right = transposeB ? [columns, inner] : [inner, columns];
            const a = input("a", "float32", transposeA ? [inner, "T"] : ["T", inner]);
            const ofInputs = matmul(a, input("b", "float32", right), { transposeA, transposeB });
            const ofParameter = matmul(a, parameter("w", right, "zeros"), { transposeA, transposeB });
            const graph = makeGraph({ ofInputs, ofParameter });
            const parameters = new Parameters(graph.parameters);
            parameters.get("w").data.set(short(randomValue(right, "w")).data);
            const inputs = { a: short(randomValue(left, "a")), b: short(randomValue(right, "b")) };
            const runnable = { graph, parameters, inputs, seed: undefined };
            await expectReference(freezing(open({ threads }), frozen), runnable, TOLERANCES.float32);
          }),
          { numRuns: 100 },
        );
      });
    });
  });
});

/** The same executor, whose parameters are always frozen, or never. */
function freezing(executor: Executor, frozen: boolean): Executor {
  return { name: executor.name, load: (graph, parameters) => executor.load(graph, parameters, { frozen }) };
}
