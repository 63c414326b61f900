/** Graphs that the native executor computes in another way than they are written: fused, packed, in blocks. */
import { describe, expect, test } from "vitest";
import { compileNative } from "../src/executors/native/compile.ts";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import {
  activation,
  add,
  attention,
  dropout,
  gather,
  input,
  layerNorm,
  linear,
  parameter,
  softmaxCrossEntropy,
} from "../src/graph/build.ts";
import { parameterGradients } from "../src/graph/differentiate.ts";
import { vector } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { ActivationKind, Tensor } from "../src/graph/operations.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { describeNative, describeWays, differences } from "./native-kernels.ts";
import type { Operands, OperationCase } from "./operation-cases.ts";
import type { Runnable } from "./operation-graphs.ts";
import { expectCase, expectReference, randomValue, runOnce, sizeOfLast, TOLERANCES } from "./reference-comparison.ts";

const KINDS: readonly ActivationKind[] = ["gelu", "gelu_new", "relu", "silu", "tanh"];
const SEED = 11;

/** Rows of two blocks and some more, columns of one panel and some more. */
const TOKENS = 29;
const WIDTH = 37;

const product = (o: Operands, name: string, x: Tensor, width = WIDTH) =>
  linear(x, o.float(`${name}.weight`, [width, sizeOfLast(x)]), o.float(`${name}.bias`, [width]));

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

describeNative("native executor, graphs", (addon) => {
  describe("a pattern that is fused or must not be: value and gradients are the reference's", () => {
    describeWays(addon, (open) => {
      test.each(PATTERN_CASES)("$title", async (pattern) => {
        await expectCase(open(), pattern);
      });
    });
  });

  describe("more than a kernel's block of rows, columns or numbers: value and gradients are the reference's", () => {
    describeWays(addon, (open) => {
      test.each(LARGE_CASES)("$title", async (large) => {
        await expectCase(open(), large);
      });
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
});
