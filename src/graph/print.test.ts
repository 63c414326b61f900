import { expect, test } from "vitest";
import { activation, gather, input, layerNorm, matmul, parameter, softmaxCrossEntropy } from "./build.ts";
import { differentiate } from "./differentiate.ts";
import { makeGraph } from "./graph.ts";
import { printGraph } from "./print.ts";

test("one node a line: name, operation, operands and attributes by name, shape", () => {
  const table = parameter("words.weight", [11, 4], "normal");
  const rows = gather(table, input("ids", "int32", ["T"]));
  const logits = matmul(activation(rows, "gelu"), table, { transposeB: true });
  expect(printGraph(makeGraph({ rows, logits }))).toBe(
    `parameter words.weight  // [11, 4]
input ids  // [T]
%2 = gather(source: words.weight, indices: ids)  // [T, 4]
%3 = activation(x: %2, kind: "gelu")  // [T, 4]
%4 = matmul(a: %3, b: words.weight, transposeA: false, transposeB: true)  // [T, 11]
return rows = %2
return logits = %4
`,
  );
});

test("a node of several outputs is followed by the one that is meant; forward nodes are left out", () => {
  const x = input("x", "float32", ["T", 4]);
  const weight = parameter("weight", [4], "ones");
  const y = layerNorm(x, weight, parameter("bias", [4], "zeros"), 1e-12);
  const loss = softmaxCrossEntropy(y, input("labels", "int32", ["T"]), input("rowWeights", "float32", ["T"]));
  const [dx, dweight] = differentiate(loss, [x, weight]);
  expect(printGraph(makeGraph({ loss, dx, dweight }))).toBe(
    `input x  // [T, 4]
parameter weight  // [4]
parameter bias  // [4]
%3 = layerNorm(x: x, weight: weight, bias: bias, epsilon: 1e-12)  // [T, 4]
input labels  // [T]
input rowWeights  // [T]
%6 = softmaxCrossEntropy(logits: %3, labels: labels, weights: rowWeights)  // []
%7 = constant(value: 1)  // []
%8 = softmaxCrossEntropyGradient(dy: %7, logits: %3, labels: labels, weights: rowWeights)  // [T, 4]
%9 = layerNormGradient(dy: %8, x: x, weight: weight, epsilon: 1e-12)  // [T, 4], [4], [4]
return loss = %6
return dx = %9.0
return dweight = %9.1
`,
  );
});
