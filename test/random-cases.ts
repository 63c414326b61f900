/** Operations of random sizes: of one row, of less than a kernel's block, and of several blocks with a rest. */
import fc from "fast-check";
import { Random } from "../src/base/random.ts";
import {
  activation,
  attention,
  gather,
  layerNorm,
  linear,
  scatterAdd,
  segmentCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  squaredError,
  sumRows,
} from "../src/graph/build.ts";
import type { OperationCase } from "./operation-cases.ts";

/** Blocks of rows have 64, panels 32 columns or fewer. */
const ROWS = fc.integer({ min: 1, max: 150 });
const COLUMNS = fc.integer({ min: 1, max: 70 });
const GROUPS = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

/** Small enough for the probe that a gradient starts from: its probabilities stay far from 0 and 1. */
const SPREAD = 0.4;

/** So many whole numbers from 0 on, by chance. */
function draw(count: number, below: number, seed: number): number[] {
  const random = Random.of(seed, count, below);
  return Array.from({ length: count }, () => random.below(below));
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Attention, whose blocks have up to 144 queries. */
const ATTENTION = fc
  .record({
    lengths: fc.array(fc.integer({ min: 1, max: 160 }), { minLength: 1, maxLength: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    headWidth: fc.integer({ min: 1, max: 18 }),
    rate: fc.constantFrom(0, 0.1, 0.5),
    seed: fc.nat(),
  })
  .map(({ lengths, heads, headWidth, rate, seed }): OperationCase => {
    const width = heads * headWidth;
    return {
      title: `lengths ${lengths}, ${heads} heads of ${headWidth}, dropout of ${rate}`,
      sizes: { B: lengths.length, T: sum(lengths) },
      spread: SPREAD,
      seed,
      build: ({ float, int }) => {
        const [query, key, value] = ["query", "key", "value"].map((name) => float(name, ["T", width]));
        return attention({ query, key, value, lengths: int("lengths", ["B"], lengths) }, { heads, dropout: rate });
      },
    };
  });

/** Its epsilon bounds the slope, which in rows of few numbers that are alike would make any rounding error large. */
const LAYER_NORM = fc.record({ rows: ROWS, columns: fc.integer({ min: 1, max: 150 }) }).map(
  ({ rows, columns }): OperationCase => ({
    title: `${rows} rows of ${columns}`,
    sizes: { T: rows },
    spread: SPREAD,
    build: ({ float }) =>
      layerNorm(float("x", ["T", columns]), float("weight", [columns]), float("bias", [columns]), 0.1),
  }),
);

const ROWS_BY_INDEX = fc.record({ rows: ROWS, columns: COLUMNS, tableRows: ROWS, seed: fc.nat() });

const GATHER = ROWS_BY_INDEX.map(
  ({ rows, columns, tableRows, seed }): OperationCase => ({
    title: `${rows} of ${tableRows} rows of ${columns}`,
    sizes: { T: rows },
    spread: SPREAD,
    build: ({ float, int }) =>
      gather(float("table", [tableRows, columns]), int("ids", ["T"], draw(rows, tableRows, seed))),
  }),
);

const SCATTER_ADD = ROWS_BY_INDEX.map(
  ({ rows, columns, tableRows, seed }): OperationCase => ({
    title: `${rows} rows of ${columns} onto ${tableRows}`,
    sizes: { T: rows },
    differentiable: false,
    build: ({ float, int }) => {
      const ids = int("ids", ["T"], draw(rows, tableRows, seed));
      return scatterAdd(ids, float("x", ["T", columns]), float("table", [tableRows, columns]));
    },
  }),
);

const SUM_ROWS = fc.record({ rows: fc.integer({ min: 1, max: 400 }), columns: COLUMNS }).map(
  ({ rows, columns }): OperationCase => ({
    title: `${rows} rows of ${columns}`,
    sizes: { T: rows },
    differentiable: false,
    build: ({ float }) => sumRows(float("x", ["T", columns])),
  }),
);

const SOFTMAX = fc.record({ rows: ROWS, columns: COLUMNS, seed: fc.nat() }).map(
  ({ rows, columns, seed }): OperationCase => ({
    title: `${rows} rows of ${columns}`,
    sizes: { T: rows },
    build: ({ float, positive, int }) =>
      softmaxCrossEntropy(
        float("logits", ["T", columns]),
        int("labels", ["T"], draw(rows, columns, seed)),
        positive("weights", ["T"]),
      ),
  }),
);

/** So many words that their logits are computed in two or three blocks. */
const VOCABULARY = fc
  .record({
    rows: fc.integer({ min: 1, max: 70 }),
    inner: fc.integer({ min: 1, max: 9 }),
    words: fc.integer({ min: 1025, max: 2500 }),
    seed: fc.nat(),
  })
  .map(
    ({ rows, inner, words, seed }): OperationCase => ({
      title: `${rows} rows of ${inner}, ${words} words`,
      sizes: { M: rows },
      spread: SPREAD,
      build: ({ float, positive, int }) => {
        const x = activation(float("x", ["M", inner]), "gelu");
        const logits = linear(x, float("weight", [words, inner]), float("bias", [words]));
        return softmaxCrossEntropy(logits, int("labels", ["M"], draw(rows, words, seed)), positive("weights", ["M"]));
      },
    }),
  );

const SEGMENTS = fc.record({ lengths: GROUPS, columns: fc.integer({ min: 1, max: 5 }), seed: fc.nat() }).map(
  ({ lengths, columns, seed }): OperationCase => ({
    title: `groups of ${lengths}, ${columns} columns`,
    sizes: { B: lengths.length, T: sum(lengths) },
    build: ({ float, positive, int }) => {
      const labels = lengths.flatMap((length) => draw(columns, length, seed));
      return segmentCrossEntropy(
        float("logits", ["T", columns]),
        int("lengths", ["B"], lengths),
        int("labels", ["B", columns], labels),
        positive("weights", ["B"]),
      );
    },
  }),
);

const SIGMOID = fc.record({ rows: ROWS, columns: COLUMNS }).map(
  ({ rows, columns }): OperationCase => ({
    title: `${rows} rows of ${columns}`,
    sizes: { B: rows },
    build: ({ float, fixed, positive }) =>
      sigmoidCrossEntropy(
        float("logits", ["B", columns]),
        fixed("targets", ["B", columns]),
        positive("weights", ["B", columns]),
      ),
  }),
);

const SQUARES = fc.record({ rows: ROWS }).map(
  ({ rows }): OperationCase => ({
    title: `${rows} rows`,
    sizes: { B: rows },
    build: ({ float, fixed, positive }) =>
      squaredError(float("predictions", ["B", 1]), fixed("targets", ["B"]), positive("weights", ["B"])),
  }),
);

/** By the name of what they are cases of. */
export const RANDOM_CASES: Readonly<Record<string, fc.Arbitrary<OperationCase>>> = {
  attention: ATTENTION,
  "layer normalisation": LAYER_NORM,
  "rows by index": GATHER,
  "sums of rows by index": SCATTER_ADD,
  "sums over rows": SUM_ROWS,
  "cross-entropy": SOFTMAX,
  "cross-entropy of a vocabulary": VOCABULARY,
  "cross-entropy within groups": SEGMENTS,
  "cross-entropy of single labels": SIGMOID,
  "squared error": SQUARES,
};
