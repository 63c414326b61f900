import {
  accuracy,
  activation,
  add,
  attention,
  constant,
  dropout,
  gather,
  layerNorm,
  linear,
  matmul,
  positions,
  scatterAdd,
  segmentCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  squaredError,
  starts,
  sumRows,
} from "../src/graph/build.ts";
import type { OpName, Tensor } from "../src/graph/operations.ts";
import type { Letter, Shape } from "../src/graph/shape.ts";

/** One operation on operands of awkward sizes: all dimensions differ, so that a swapped axis cannot pass. */
export interface OperationCase {
  readonly title: string;
  /** What the letters stand for. */
  readonly sizes: Readonly<Partial<Record<Letter, number>>>;
  /** Deviation of the random operands; 1 if left out. */
  readonly spread?: number;
  readonly seed?: number;
  /** False for operations that appear in gradients only. */
  readonly differentiable?: false;
  /** Declares the operands and applies the operation to them. */
  build(operands: Operands): Tensor;
}

/** Declares the operands of a case; numbers for them are drawn from its title and their names. */
export interface Operands {
  /** An operand whose gradient is checked too. */
  float(name: string, shape: Shape): Tensor;
  /** An operand without a gradient. */
  fixed(name: string, shape: Shape): Tensor;
  /** The same, of positive numbers: the weights of a loss whose terms do not cancel. */
  positive(name: string, shape: Shape): Tensor;
  int(name: string, shape: Shape, values: readonly number[]): Tensor<"int32">;
}

const GRADIENT_OF = (forward: OpName) => `the gradient of ${forward}, and checked as such`;

const LENGTHS = [5, 1, 2, 6];

/** Cases for every operation, or why it needs none. */
export const OPERATION_CASES: { readonly [K in OpName]: readonly OperationCase[] | string } = {
  input: "every case has inputs",
  parameter: "every case runs with its operands of fixed shape as parameters",
  constant: [{ title: "a scalar", sizes: {}, build: ({ float }) => add(float("x", []), constant(0.75)) }],

  positions: [
    {
      title: "sequences of several lengths",
      sizes: { B: 4, T: 14 },
      build: ({ float, int }) =>
        add(float("x", ["T", 5]), gather(float("table", [9, 5]), positions(int("lengths", ["B"], LENGTHS)))),
    },
    {
      title: "one token",
      sizes: { B: 1, T: 1 },
      build: ({ float, int }) =>
        add(float("x", ["T", 5]), gather(float("table", [3, 5]), positions(int("lengths", ["B"], [1])))),
    },
  ],
  starts: [
    {
      title: "sequences of several lengths",
      sizes: { B: 4, T: 14 },
      build: ({ float, int }) => gather(float("x", ["T", 5]), starts(int("lengths", ["B"], LENGTHS))),
    },
  ],

  gather: [
    {
      title: "rows of a table, some of them several times",
      sizes: { T: 8 },
      build: ({ float, int }) => gather(float("table", [11, 7]), int("ids", ["T"], [4, 0, 4, 10, 3, 4, 0, 9])),
    },
    {
      title: "some tokens",
      sizes: { T: 13, M: 4 },
      build: ({ float, int }) => gather(float("x", ["T", 7]), int("places", ["M"], [12, 3, 3, 0])),
    },
    {
      title: "one row",
      sizes: { T: 1 },
      build: ({ float, int }) => gather(float("table", [11, 7]), int("ids", ["T"], [10])),
    },
    {
      title: "rows of a large table",
      sizes: { T: 5 },
      build: ({ float, int }) => gather(float("table", [1501, 3]), int("ids", ["T"], [1500, 7, 0, 1500, 1024])),
    },
  ],
  scatterAdd: [
    {
      title: "onto a table, to some rows several times",
      sizes: { T: 8 },
      differentiable: false,
      build: ({ float, int }) =>
        scatterAdd(int("ids", ["T"], [4, 0, 4, 10, 3, 4, 0, 9]), float("x", ["T", 7]), float("table", [11, 7])),
    },
    {
      title: "onto tokens",
      sizes: { T: 13, M: 4 },
      differentiable: false,
      build: ({ float, int }) =>
        scatterAdd(int("places", ["M"], [12, 3, 3, 0]), float("x", ["M", 7]), float("like", ["T", 7])),
    },
    {
      title: "everything onto one row",
      sizes: { T: 6 },
      differentiable: false,
      build: ({ float, int }) =>
        scatterAdd(int("ids", ["T"], Array(6).fill(1)), float("x", ["T", 3]), float("y", [2, 3])),
    },
  ],

  add: [
    {
      title: "matrices",
      sizes: { T: 13 },
      build: ({ float }) => add(float("a", ["T", 7]), float("b", ["T", 7])),
    },
    {
      title: "a tensor to itself",
      sizes: { T: 13 },
      build: ({ float }) => {
        const x = float("x", ["T", 7]);
        return add(x, x);
      },
    },
    { title: "scalars", sizes: {}, build: ({ float }) => add(float("a", []), float("b", [])) },
  ],
  linear: [
    {
      title: "thirteen rows",
      sizes: { T: 13 },
      build: ({ float }) => linear(float("x", ["T", 7]), float("weight", [5, 7]), float("bias", [5])),
    },
    {
      title: "one row",
      sizes: { T: 1 },
      build: ({ float }) => linear(float("x", ["T", 7]), float("weight", [5, 7]), float("bias", [5])),
    },
    {
      title: "one output",
      sizes: { T: 13 },
      build: ({ float }) => linear(float("x", ["T", 7]), float("weight", [1, 7]), float("bias", [1])),
    },
    {
      title: "a weight shared with a table of embeddings",
      sizes: { T: 6 },
      build: ({ float, int }) => {
        const table = float("table", [11, 7]);
        return linear(gather(table, int("ids", ["T"], [3, 10, 3, 0, 7, 1])), table, float("bias", [11]));
      },
    },
  ],
  matmul: [
    {
      title: "a b",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float }) => matmul(float("a", ["T", 7]), float("b", [7, 5])),
    },
    {
      title: "aᵀ b",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float }) => matmul(float("a", ["T", 7]), float("b", ["T", 5]), { transposeA: true }),
    },
    {
      title: "a bᵀ",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float }) => matmul(float("a", ["T", 7]), float("b", [5, 7]), { transposeB: true }),
    },
    {
      title: "aᵀ bᵀ",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float }) => matmul(float("a", ["T", 7]), float("b", [5, "T"]), { transposeA: true, transposeB: true }),
    },
  ],
  sumRows: [
    {
      title: "thirteen rows",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float }) => sumRows(float("x", ["T", 7])),
    },
    { title: "one row", sizes: { T: 1 }, differentiable: false, build: ({ float }) => sumRows(float("x", ["T", 7])) },
  ],

  activation: (["gelu", "gelu_new", "relu", "silu", "tanh"] as const).map((kind) => ({
    title: kind,
    sizes: { T: 13 },
    spread: 2,
    build: ({ float }) => activation(float("x", ["T", 7]), kind),
  })),
  activationGradient: GRADIENT_OF("activation"),

  layerNorm: [
    {
      title: "BERT's epsilon",
      sizes: { T: 13 },
      build: ({ float }) => layerNorm(float("x", ["T", 7]), float("weight", [7]), float("bias", [7]), 1e-12),
    },
    {
      title: "an epsilon that counts",
      sizes: { T: 13 },
      spread: 0.5,
      build: ({ float }) => layerNorm(float("x", ["T", 7]), float("weight", [7]), float("bias", [7]), 0.3),
    },
    {
      title: "one row",
      sizes: { T: 1 },
      build: ({ float }) => layerNorm(float("x", ["T", 7]), float("weight", [7]), float("bias", [7]), 1e-12),
    },
  ],
  layerNormGradient: GRADIENT_OF("layerNorm"),

  dropout: [
    { title: "a rate of 0.1", sizes: { T: 13 }, seed: 3, build: ({ float }) => dropout(float("x", ["T", 7]), 0.1) },
    {
      title: "twice in one graph",
      sizes: { T: 13 },
      seed: 4,
      build: ({ float }) => add(dropout(float("a", ["T", 7]), 0.5), dropout(float("b", ["T", 7]), 0.5)),
    },
  ],
  dropoutGradient: GRADIENT_OF("dropout"),

  attention: [
    {
      title: "sequences of several lengths",
      sizes: { B: 4, T: 14 },
      build: ({ float, int }) =>
        attention(
          {
            query: float("query", ["T", 9]),
            key: float("key", ["T", 9]),
            value: float("value", ["T", 9]),
            lengths: int("lengths", ["B"], LENGTHS),
          },
          { heads: 3 },
        ),
    },
    {
      title: "with dropout, before another one",
      sizes: { B: 4, T: 14 },
      seed: 5,
      build: ({ float, int }) => {
        const qkv = { query: float("query", ["T", 9]), key: float("key", ["T", 9]), value: float("value", ["T", 9]) };
        const attended = attention({ ...qkv, lengths: int("lengths", ["B"], LENGTHS) }, { heads: 3, dropout: 0.4 });
        return dropout(attended, 0.2);
      },
    },
    {
      title: "with dropout, of groups with a letter of their own, beside longer ones without",
      sizes: { B: 2, E: 4, T: 14 },
      seed: 6,
      build: ({ float, int }) => {
        const qkv = { query: float("query", ["T", 9]), key: float("key", ["T", 9]), value: float("value", ["T", 9]) };
        const grouped = attention({ ...qkv, lengths: int("groups", ["E"], LENGTHS) }, { heads: 3, dropout: 0.4 });
        return add(grouped, attention({ ...qkv, lengths: int("lengths", ["B"], [1, 13]) }, { heads: 3 }));
      },
    },
    {
      title: "of other rows than the tokens, which are fewer",
      sizes: { B: 4, M: 14, T: 3 },
      build: ({ float, int }) => {
        const x = float("x", ["M", 6]);
        const attended = attention(
          { query: x, key: x, value: x, lengths: int("lengths", ["B"], LENGTHS) },
          { heads: 2 },
        );
        return add(activation(float("tokens", ["T", 6]), "tanh"), gather(attended, int("chosen", ["T"], [13, 0, 5])));
      },
    },
    {
      title: "one sequence, of one head, attending to itself",
      sizes: { B: 1, T: 7 },
      build: ({ float, int }) => {
        const x = float("x", ["T", 5]);
        return attention({ query: x, key: x, value: x, lengths: int("lengths", ["B"], [7]) }, { heads: 1 });
      },
    },
    {
      title: "one token",
      sizes: { B: 1, T: 1 },
      build: ({ float, int }) =>
        attention(
          {
            query: float("query", ["T", 6]),
            key: float("key", ["T", 6]),
            value: float("value", ["T", 6]),
            lengths: int("lengths", ["B"], [1]),
          },
          { heads: 2 },
        ),
    },
  ],
  attentionGradient: GRADIENT_OF("attention"),

  softmaxCrossEntropy: [
    {
      title: "thirteen rows",
      sizes: { T: 13 },
      build: ({ float, fixed, int }) =>
        softmaxCrossEntropy(
          float("logits", ["T", 5]),
          int("labels", ["T"], [4, 0, 1, 1, 2, 3, 4, 0, 0, 2, 2, 1, 3]),
          fixed("weights", ["T"]),
        ),
    },
    {
      title: "large logits",
      sizes: { T: 3 },
      spread: 300,
      build: ({ float, fixed, int }) =>
        softmaxCrossEntropy(float("logits", ["T", 5]), int("labels", ["T"], [4, 0, 4]), fixed("weights", ["T"])),
    },
    {
      title: "one row, counted twice",
      sizes: { T: 1 },
      build: ({ float, fixed, int }) => {
        const loss = softmaxCrossEntropy(float("logits", ["T", 5]), int("labels", ["T"], [3]), fixed("weights", ["T"]));
        return add(loss, loss);
      },
    },
    {
      title: "a layer with a vocabulary, its probabilities far apart",
      sizes: { M: 5 },
      build: ({ float, fixed, int }) =>
        softmaxCrossEntropy(
          linear(float("x", ["M", 7]), float("weight", [2085, 7]), float("bias", [2085])),
          int("labels", ["M"], [2084, 0, 1024, 1023, 2047]),
          fixed("weights", ["M"]),
        ),
    },
    {
      title: "a layer whose weight is the table of embeddings, in a larger and a smaller vocabulary",
      sizes: { M: 5 },
      build: ({ float, fixed, int }) => {
        const lossOf = (name: string, words: number) => {
          const table = float(`${name}.table`, [words, 6]);
          const x = gather(table, int(`${name}.ids`, ["M"], [words - 1, 3, 0, 3, 17]));
          const logits = linear(activation(x, "tanh"), table, float(`${name}.bias`, [words]));
          return softmaxCrossEntropy(
            logits,
            int(`${name}.labels`, ["M"], [3, 17, 0, 1, words - 1]),
            fixed(name, ["M"]),
          );
        };
        return add(lossOf("large", 1301), lossOf("small", 23));
      },
    },
  ],
  accuracy: [
    {
      title: "thirteen rows",
      sizes: { T: 13 },
      differentiable: false,
      build: ({ float, fixed, int }) =>
        accuracy(
          float("logits", ["T", 5]),
          int("labels", ["T"], [4, 0, 1, 1, 2, 3, 4, 0, 0, 2, 2, 1, 3]),
          fixed("weights", ["T"]),
        ),
    },
    {
      title: "a layer with a vocabulary, beside its loss",
      sizes: { M: 5 },
      differentiable: false,
      build: ({ float, fixed, int }) => {
        const [x, weight] = [float("x", ["M", 2]), float("weight", [2085, 2])];
        const logits = linear(x, weight, float("bias", [2085]));
        const labels = int("labels", ["M"], [2060, 1640, 1863, 72, 413]); // three of them the likeliest
        return add(accuracy(logits, labels, fixed("a", ["M"])), softmaxCrossEntropy(logits, labels, fixed("b", ["M"])));
      },
    },
    {
      title: "one row",
      sizes: { T: 1 },
      differentiable: false,
      build: ({ float, fixed, int }) =>
        accuracy(float("logits", ["T", 2]), int("labels", ["T"], [1]), fixed("weights", ["T"])),
    },
  ],
  softmaxCrossEntropyGradient: GRADIENT_OF("softmaxCrossEntropy"),

  segmentCrossEntropy: [
    {
      title: "three columns, groups of several lengths",
      sizes: { B: 4, T: 14 },
      build: ({ float, fixed, int }) =>
        segmentCrossEntropy(
          float("logits", ["T", 3]),
          int("lengths", ["B"], LENGTHS),
          int("labels", ["B", 3], [4, 0, 2, 0, 0, 0, 1, 0, 1, 3, 5, 0]),
          fixed("weights", ["B"]),
        ),
    },
    {
      title: "groups as long as each other",
      sizes: { E: 3, B: 12 },
      build: ({ float, fixed, int }) =>
        segmentCrossEntropy(
          float("logits", ["B", 1]),
          int("lengths", ["E"], [4, 4, 4]),
          int("labels", ["E", 1], [3, 0, 2]),
          fixed("weights", ["E"]),
        ),
    },
    {
      title: "beside attention in the same groups, and others of the same rows",
      sizes: { E: 2, B: 4, T: 14 },
      build: ({ float, fixed, int }) => {
        const [x, lengths] = [float("x", ["T", 4]), int("lengths", ["B"], LENGTHS)];
        const logits = attention({ query: x, key: x, value: x, lengths }, { heads: 2 }); // [T, 4]
        const short = int("labels", ["B", 4], [4, 0, 1, 3, 0, 0, 0, 0, 1, 0, 1, 1, 3, 5, 0, 5]);
        const long = int("long labels", ["E", 4], [8, 0, 4, 3, 4, 1, 0, 2]);
        return add(
          segmentCrossEntropy(logits, lengths, short, fixed("weights", ["B"])),
          segmentCrossEntropy(logits, int("long lengths", ["E"], [9, 5]), long, fixed("long weights", ["E"])),
        );
      },
    },
    {
      title: "large logits",
      sizes: { E: 3, B: 9 },
      spread: 300,
      build: ({ float, fixed, int }) =>
        segmentCrossEntropy(
          float("logits", ["B", 2]),
          int("lengths", ["E"], [2, 3, 4]),
          int("labels", ["E", 2], [1, 0, 2, 2, 0, 1]),
          fixed("weights", ["E"]),
        ),
    },
    {
      title: "one row, counted twice",
      sizes: { B: 1, T: 1 },
      build: ({ float, fixed, int }) => {
        const [lengths, labels] = [int("lengths", ["B"], [1]), int("labels", ["B", 2], [0, 0])];
        const loss = segmentCrossEntropy(float("logits", ["T", 2]), lengths, labels, fixed("weights", ["B"]));
        return add(loss, loss);
      },
    },
  ],
  segmentCrossEntropyGradient: GRADIENT_OF("segmentCrossEntropy"),

  sigmoidCrossEntropy: [
    {
      title: "thirteen rows",
      sizes: { B: 13 },
      build: ({ float, fixed }) =>
        sigmoidCrossEntropy(float("logits", ["B", 5]), fixed("targets", ["B", 5]), fixed("weights", ["B", 5])),
    },
    {
      title: "large logits",
      sizes: { B: 7 },
      spread: 300,
      build: ({ float, fixed }) =>
        sigmoidCrossEntropy(float("logits", ["B", 5]), fixed("targets", ["B", 5]), fixed("weights", ["B", 5])),
    },
    {
      title: "one number, counted twice",
      sizes: { B: 1 },
      build: ({ float, fixed }) => {
        const targets = fixed("targets", ["B", 1]);
        const loss = sigmoidCrossEntropy(float("logits", ["B", 1]), targets, fixed("weights", ["B", 1]));
        return add(loss, loss);
      },
    },
  ],
  sigmoidCrossEntropyGradient: GRADIENT_OF("sigmoidCrossEntropy"),

  squaredError: [
    {
      title: "thirteen rows",
      sizes: { B: 13 },
      build: ({ float, fixed }) =>
        squaredError(float("predictions", ["B", 1]), fixed("targets", ["B"]), fixed("weights", ["B"])),
    },
    {
      title: "one row, counted twice",
      sizes: { B: 1 },
      build: ({ float, fixed }) => {
        const loss = squaredError(float("predictions", ["B", 1]), fixed("targets", ["B"]), fixed("weights", ["B"]));
        return add(loss, loss);
      },
    },
  ],
  squaredErrorGradient: GRADIENT_OF("squaredError"),
};

/** Every operation that has cases, with them. */
export const CASES_BY_OPERATION = Object.entries(OPERATION_CASES).flatMap(([op, cases]) =>
  typeof cases === "string" ? [] : [{ op, cases }],
);
