import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accuracy,
  activation,
  add,
  dropout,
  input,
  linear,
  matmul,
  parameter,
  scatterAdd,
  softmaxCrossEntropy,
  sumRows,
} from "../../graph/build.ts";
import { differentiate, parameterGradients } from "../../graph/differentiate.ts";
import { type Graph, makeGraph } from "../../graph/graph.ts";
import { type AnyNode, type AnyTensor, isNode, type Tensor } from "../../graph/operations.ts";
import { findFusions, isProduct, LOGITS_BLOCK } from "./fusion.ts";

const WIDTH = 6;
const x = input("x", "float32", ["T", WIDTH]);

/** A product of x, of the same shape. */
function product(name: string, of = x): Tensor {
  return linear(of, parameter(`${name}.weight`, [WIDTH, WIDTH], "normal"), parameter(`${name}.bias`, [WIDTH], "zeros"));
}

/** Who takes over whom: each pair as tensors' nodes. */
function expectFusions(graph: Graph, ...pairs: readonly (readonly [Tensor, Tensor])[]): void {
  expect([...findFusions(graph)]).toEqual(pairs.map(([taken, taker]) => [taken.node, taker.node]));
}

const [p, q] = [product("p"), product("q")];

describe("a product is taken over", () => {
  test("by its activation", () => {
    const y = activation(p, "gelu");
    expectFusions(makeGraph({ y }), [p, y]);
  });

  test("by a sum, with either side of it", () => {
    const [first, second] = [add(p, x), add(x, q)];
    expectFusions(makeGraph({ first, second }), [p, first], [q, second]);
  });

  test("by a sum together with the dropout between them, on either side", () => {
    const [left, right] = [dropout(p, 0.1), dropout(q, 0.1)];
    const [first, second] = [add(left, x), add(x, right)];
    expectFusions(makeGraph({ first, second }), [p, first], [left, first], [q, second], [right, second]);
  });

  test("by a sum of two products that has one of them only", () => {
    const y = add(p, q);
    expectFusions(makeGraph({ y }), [q, y]);
  });

  test("by a sum that has one with dropout rather than one without", () => {
    const left = dropout(p, 0.1);
    const y = add(left, q);
    expectFusions(makeGraph({ y }), [p, y], [left, y]);
  });

  test("by the gradient of an activation, as by the activation whose gradient reads it", () => {
    const a = activation(p, "gelu");
    const logits = product("logits", a);
    const loss = softmaxCrossEntropy(logits, input("labels", "int32", ["T"]), input("weights", "float32", ["T"]));
    const graph = makeGraph({ loss, ...parameterGradients(loss) });
    const gradient = graph.nodes.find((node) => isNode(node, "activationGradient"))!;
    expectFusions(graph, [p, a], [gradient.inputs.dy, gradient.outputs[0] as Tensor]);
    expect(gradient.inputs.dy.node.op).toBe("matmul");
  });

  test("if it is a matrix product without a layer, too", () => {
    const own = matmul(x, parameter("square", [WIDTH, WIDTH], "normal"), { transposeB: true });
    const y = activation(own, "tanh");
    expectFusions(makeGraph({ y }), [own, y]);
  });
});

describe("a product is computed on its own", () => {
  test("where the run gives it out", () => {
    expectFusions(makeGraph({ y: activation(p, "gelu"), p }));
    expectFusions(makeGraph({ y: add(x, p), p }));
    expectFusions(makeGraph({ y: add(x, dropout(p, 0.1)), p }));
  });

  test("where the run gives out what a dropout leaves of it", () => {
    const left = dropout(p, 0.1);
    expectFusions(makeGraph({ y: add(x, left), left }));
  });

  test("where someone else reads it", () => {
    expectFusions(makeGraph({ y: activation(p, "gelu"), sums: sumRows(p) }));
    expectFusions(makeGraph({ y: add(activation(p, "gelu"), p) }));
    expectFusions(makeGraph({ y: add(activation(p, "gelu"), activation(p, "tanh")) }));
    expectFusions(makeGraph({ y: add(p, dropout(p, 0.1)) }));
  });

  test("where someone else reads what a dropout leaves of it", () => {
    const left = dropout(p, 0.1);
    expectFusions(makeGraph({ y: add(x, left), sums: sumRows(left) }));
  });

  test("where it is both sides of a sum", () => {
    expectFusions(makeGraph({ y: add(p, p) }));
    const left = dropout(p, 0.1);
    expectFusions(makeGraph({ y: add(left, left) }));
  });

  test("where nobody finishes it: behind a dropout without a sum, two dropouts, or another product", () => {
    expectFusions(makeGraph({ y: dropout(p, 0.1) }));
    expectFusions(makeGraph({ y: add(x, dropout(dropout(p, 0.1), 0.1)) }));
    expectFusions(makeGraph({ y: product("other", p) }));
  });
});

describe("logits that are computed in blocks", () => {
  const [labels, weights] = [input("labels", "int32", ["T"]), input("weights", "float32", ["T"])];
  const layer = (columns: number) => {
    return linear(
      activation(x, "tanh"),
      parameter("w", [columns, WIDTH], "normal"),
      parameter("b", [columns], "zeros"),
    );
  };
  const wide = layer(LOGITS_BLOCK + 1);
  const weightOf = ({ node }: Tensor) => (isNode(node, "linear") ? node.inputs.weight : x);

  test("are taken over by the first loss that reads them, and their gradients by that of the loss", () => {
    const hits = accuracy(wide, labels, weights);
    const loss = softmaxCrossEntropy(wide, labels, weights);
    const graph = makeGraph({ loss, hits, ...parameterGradients(loss), dx: differentiate(loss, [x])[0] });
    const [gradient, other] = graph.nodes.filter((node) => isNode(node, "softmaxCrossEntropyGradient"));
    const followers = (of: AnyNode) => graph.nodes.filter((node) => readsOf(node).includes(of.outputs[0]));
    expect(followers(gradient).map(({ op }) => op)).toEqual(["matmul", "sumRows"]);
    expect(followers(other).map(({ op }) => op)).toEqual(["matmul"]);
    expect([...findFusions(graph)]).toEqual([
      [wide.node, hits.node],
      ...followers(gradient).map((node) => [node, gradient]),
      ...followers(other).map((node) => [node, other]),
    ]);
  });

  test("are more than a block, and nobody else's", () => {
    const narrow = layer(LOGITS_BLOCK);
    expectFusions(makeGraph({ loss: softmaxCrossEntropy(narrow, labels, weights) }));
    expectFusions(makeGraph({ loss: softmaxCrossEntropy(wide, labels, weights), wide }));
    expectFusions(makeGraph({ loss: softmaxCrossEntropy(wide, labels, weights), sums: sumRows(wide) }));
    const loss = softmaxCrossEntropy(wide, labels, weights);
    const [dlogits, dweight] = differentiate(loss, [wide, weightOf(wide)]);
    expectFusions(makeGraph({ loss, dweight, dlogits }));
    expectFusions(makeGraph({ loss, dweight, sums: matmul(dlogits, parameter("v", [LOGITS_BLOCK + 1, 2], "normal")) }));
  });
});

describe("rows are added where the other side of the sum lies", () => {
  const table = parameter("table", [WIDTH, WIDTH], "normal");
  const rows = scatterAdd(input("ids", "int32", ["T"]), x, table);
  const own = matmul(x, x, { transposeA: true });

  test("if that is a product that nobody else reads, on either side", () => {
    const [left, right] = [add(own, rows), add(rows, own)];
    expectFusions(makeGraph({ left }), [rows, left]);
    expectFusions(makeGraph({ right }), [rows, right]);
  });

  test("and not if either is read elsewhere, or the other side is no product", () => {
    const sum = add(own, rows);
    expectFusions(makeGraph({ sum, own }));
    expectFusions(makeGraph({ sum, rows }), [own, sum]);
    expectFusions(makeGraph({ y: add(table, rows) }));
  });
});

/** Random tensors, each made from those before it, some of which the run gives out. */
const GRAPH = fc
  .record({
    steps: fc.array(
      fc.record({ op: fc.constantFrom("product", "add", "dropout", "activation"), a: fc.nat(), b: fc.nat() }),
      { minLength: 1, maxLength: 12 },
    ),
    outputs: fc.array(fc.nat(), { maxLength: 2 }),
    differentiated: fc.boolean(),
  })
  .map(({ steps, outputs, differentiated }) => {
    const tensors = [product("first")];
    steps.forEach(({ op, a, b }, i) => {
      const [one, other] = [tensors[a % tensors.length], tensors[b % tensors.length]];
      if (op === "product") tensors.push(product(`step${i}`, one));
      if (op === "add") tensors.push(add(one, other));
      if (op === "dropout") tensors.push(dropout(one, 0.1));
      if (op === "activation") tensors.push(activation(one, "gelu"));
    });
    const last = tensors.at(-1)!;
    const given = Object.fromEntries(outputs.map((i) => [`${i % tensors.length}`, tensors[i % tensors.length]]));
    if (!differentiated) return makeGraph({ last, ...given });
    const loss = softmaxCrossEntropy(last, input("labels", "int32", ["T"]), input("weights", "float32", ["T"]));
    return makeGraph({ loss, ...parameterGradients(loss), ...given });
  });

describe("in any graph", () => {
  test("what is taken over is a product, or the dropout of one, whose only reader is its taker or goes with it", () => {
    fc.assert(
      fc.property(GRAPH, (graph) => {
        const fusions = findFusions(graph);
        const outputs = new Set<AnyTensor>(Object.values(graph.outputs));
        for (const [taken, taker] of fusions) {
          expect(outputs.has(taken.outputs[0])).toBe(false);
          if (!isProduct(taken)) {
            expect(isNode(taken, "dropout") && fusions.get(taken.inputs.x.node)).toBe(taker);
          }
          const readers = graph.nodes.filter((node) => readsOf(node).includes(taken.outputs[0]));
          expect(readers.length).toBeGreaterThan(0);
          for (const reader of readers) {
            const goesWith = reader === taker || fusions.get(reader) === taker;
            const isSlope = isNode(reader, "activationGradient") && reader.attributes.forward === taker;
            expect(goesWith || isSlope).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("nobody takes over two products, and nobody who takes one over is taken over", () => {
    fc.assert(
      fc.property(GRAPH, (graph) => {
        const fusions = findFusions(graph);
        const takers = [...fusions].filter(([taken]) => isProduct(taken)).map(([, taker]) => taker);
        expect(new Set(takers).size).toBe(takers.length);
        expect(takers.filter((taker) => fusions.has(taker))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function readsOf(node: AnyNode): AnyTensor[] {
  return Object.values(node.inputs);
}
