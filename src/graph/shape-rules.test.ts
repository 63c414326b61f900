import { describe, expect, test } from "vitest";
import {
  activation,
  add,
  attention,
  attentionGradient,
  dropout,
  gather,
  input,
  layerNorm,
  layerNormGradient,
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
} from "./build.ts";
import type { AnyTensor } from "./operations.ts";
import { isNode } from "./operations.ts";
import type { Shape } from "./shape.ts";

const float = (...shape: Shape) => input("x", "float32", shape);
const int = (...shape: Shape) => input("i", "int32", shape);
const qkv = (...shape: Shape) => ({ query: float(...shape), key: float(...shape), value: float(...shape) });

describe("shapes of outputs", () => {
  const cases: readonly (readonly [string, AnyTensor, Shape])[] = [
    ["positions", positions(int("B")), ["T"]],
    ["starts", starts(int("B")), ["B"]],
    ["gather", gather(float(11, 7), int("M")), ["M", 7]],
    ["scatterAdd", scatterAdd(int("M"), float("M", 7), float("T", 7)), ["T", 7]],
    ["add of matrices", add(float("T", 7), float("T", 7)), ["T", 7]],
    ["add of scalars", add(float(), float()), []],
    ["linear", linear(float("T", 7), float(5, 7), float(5)), ["T", 5]],
    ["matmul", matmul(float("T", 7), float(7, 5)), ["T", 5]],
    ["matmul aᵀ", matmul(float("T", 7), float("T", 5), { transposeA: true }), [7, 5]],
    ["matmul bᵀ", matmul(float("T", 7), float(5, 7), { transposeB: true }), ["T", 5]],
    ["sumRows", sumRows(float("T", 7)), [7]],
    ["activation", activation(float("T", 7), "gelu"), ["T", 7]],
    ["layerNorm", layerNorm(float("T", 7), float(7), float(7), 1e-12), ["T", 7]],
    ["dropout", dropout(float("T", 7), 0.1), ["T", 7]],
    ["attention", attention({ ...qkv("T", 12), lengths: int("B") }, { heads: 3 }), ["T", 12]],
    ["softmaxCrossEntropy", softmaxCrossEntropy(float("M", 7), int("M"), float("M")), []],
    ["segmentCrossEntropy", segmentCrossEntropy(float("T", 2), int("B"), int("B", 2), float("B")), []],
    ["sigmoidCrossEntropy", sigmoidCrossEntropy(float("B", 7), float("B", 7), float("B", 7)), []],
    ["squaredError", squaredError(float("B", 1), float("B"), float("B")), []],
  ];

  test.each(cases)("%s", (_, tensor, shape) => {
    expect(tensor.shape).toEqual(shape);
  });

  test("a node has a tensor for each output", () => {
    const { node } = layerNorm(float("T", 7), float(7), float(7), 1e-12);
    if (!isNode(node, "layerNorm")) throw new Error(node.op);
    const { dx, dweight, dbias } = layerNormGradient(float("T", 7), node);
    expect([dx, dweight, dbias].map(({ shape }) => shape)).toEqual([["T", 7], [7], [7]]);
    expect([dx, dweight, dbias].map(({ output }) => output)).toEqual([0, 1, 2]);
    expect(new Set([dx.node, dweight.node, dbias.node]).size).toBe(1);
  });

  test("the gradients of attention are shaped as its inputs", () => {
    const { node } = attention({ ...qkv("T", 12), lengths: int("B") }, { heads: 3 });
    if (!isNode(node, "attention")) throw new Error(node.op);
    const { dquery, dkey, dvalue } = attentionGradient(float("T", 12), node);
    expect([dquery, dkey, dvalue].map(({ shape }) => shape)).toEqual(Array(3).fill(["T", 12]));
  });
});

describe("shapes that do not fit are refused, naming operation, operand, letter and both shapes", () => {
  const refusals: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a letter bound twice",
      () => linear(float("T", 7), float(5, 8), float(5)),
      "linear: weight has the wrong shape; expected i = 7 in [o, i], as in x [T, 7]; got [5, 8].",
    ],
    [
      "a vector that does not fit",
      () => linear(float("T", 7), float(5, 7), float(6)),
      "linear: bias has the wrong shape; expected o = 5 in [o], as in weight [5, 7]; got [6].",
    ],
    [
      "too few dimensions",
      () => gather(float(7), int("T")),
      "gather: source has the wrong shape; expected [r, c]; got [7].",
    ],
    ["no dimensions", () => sumRows(float()), "sumRows: x has the wrong shape; expected [r, c]; got []."],
    [
      "whole shapes",
      () => add(float("T", 7), float("M", 7)),
      "add: b has the wrong shape; expected the same shape, as in a [T, 7]; got [M, 7].",
    ],
    [
      "a letter where a number is expected",
      () => layerNorm(float("T", 7), float(7), float("T"), 1e-12),
      "layerNorm: bias has the wrong shape; expected c = 7 in [c], as in x [T, 7]; got [T].",
    ],
    [
      "a transposed operand",
      () => matmul(float("T", 7), float(7, 5), { transposeB: true }),
      "matmul: b has the wrong shape; expected k = 7 in [c, k], as in a [T, 7]; got [7, 5].",
    ],
    [
      "labels of other rows than the logits",
      () => softmaxCrossEntropy(float("M", 7), int("B"), float("M")),
      "softmaxCrossEntropy: labels has the wrong shape; expected r = M in [r], as in logits [M, 7]; got [B].",
    ],
    [
      "labels of other groups than the lengths",
      () => segmentCrossEntropy(float("B", 1), int("E"), int("B", 1), float("E")),
      "segmentCrossEntropy: labels has the wrong shape; expected g = E in [g, c], as in lengths [E]; got [B, 1].",
    ],
    [
      "several predictions where one is expected",
      () => squaredError(float("B", 3), float("B"), float("B")),
      "squaredError: predictions has the wrong shape; expected [r, 1]; got [B, 3].",
    ],
    [
      "heads that do not divide the width",
      () => attention({ ...qkv("T", 12), lengths: int("B") }, { heads: 5 }),
      "attention: the heads do not divide the hidden size; expected D as a multiple of N = 5; got D = 12. Change hidden_size or num_attention_heads.",
    ],
    ...[0.5, -2, 0].map(
      (heads) =>
        [
          `${heads} heads`,
          () => attention({ ...qkv("T", 12), lengths: int("B") }, { heads }),
          `attention: the heads do not divide the hidden size; expected D as a multiple of N = ${heads}; got D = 12. Change hidden_size or num_attention_heads.`,
        ] as const,
    ),
  ];

  test.each(refusals)("%s", (_, build, message) => {
    expect(build).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH", message }));
  });
});
