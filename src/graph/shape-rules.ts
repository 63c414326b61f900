import { ClozeError } from "../base/errors.ts";
import type { AnyTensor, AttributesOf, InputsOf, OpName } from "./operations.ts";
import { type Dim, formatShape, type Shape } from "./shape.ts";

type Rule<K extends OpName> = (inputs: InputsOf<K>, attributes: AttributesOf<K>, op: OpName) => readonly Shape[];

/** One row an operation: the shapes of its outputs from those of its inputs. */
const SHAPE_RULES: { readonly [K in OpName]: Rule<K> } = {
  input: (_, { shape }) => [shape],
  parameter: (_, { shape }) => [shape],
  constant: () => [[]],
  positions: ({ lengths }, _, op) => {
    match(op, { lengths: "b" }, { lengths });
    return [["T"]];
  },
  starts: pattern({ lengths: "b" }, ["b"]),
  gather: pattern({ source: "r c", indices: "i" }, ["i c"]),
  scatterAdd: pattern({ indices: "i", updates: "i c", like: "r c" }, ["r c"]),
  add: pattern({ a: "...", b: "..." }, ["..."]),
  linear: pattern({ x: "r i", weight: "o i", bias: "o" }, ["r o"]),
  matmul: ({ a, b }, { transposeA, transposeB }, op) => {
    const patterns = { a: transposeA ? "k r" : "r k", b: transposeB ? "c k" : "k c" };
    return [resolve("r c", match(op, patterns, { a, b }))];
  },
  sumRows: pattern({ x: "r c" }, ["c"]),
  activation: pattern({ x: "..." }, ["..."]),
  activationGradient: pattern({ dy: "...", x: "..." }, ["..."]),
  layerNorm: pattern({ x: "r c", weight: "c", bias: "c" }, ["r c"]),
  layerNormGradient: pattern({ dy: "r c", x: "r c", weight: "c" }, ["r c", "c", "c"]),
  dropout: pattern({ x: "..." }, ["..."]),
  dropoutGradient: pattern({ dy: "..." }, ["..."]),
  attention: (inputs, { heads }, op) => {
    const letters = match(op, { query: "t d", key: "t d", value: "t d", lengths: "b" }, inputs);
    checkHeads(letters.get("d"), heads);
    return [resolve("t d", letters)];
  },
  attentionGradient: pattern({ dy: "t d", query: "t d", key: "t d", value: "t d", lengths: "b" }, [
    "t d",
    "t d",
    "t d",
  ]),
  softmaxCrossEntropy: pattern({ logits: "r k", labels: "r", weights: "r" }, [""]),
  accuracy: pattern({ logits: "r k", labels: "r", weights: "r" }, [""]),
  softmaxCrossEntropyGradient: pattern({ dy: "", logits: "r k", labels: "r", weights: "r" }, ["r k"]),
  segmentCrossEntropy: pattern({ logits: "r c", lengths: "g", labels: "g c", weights: "g" }, [""]),
  segmentCrossEntropyGradient: pattern({ dy: "", logits: "r c", lengths: "g", labels: "g c", weights: "g" }, ["r c"]),
  sigmoidCrossEntropy: pattern({ logits: "r k", targets: "r k", weights: "r k" }, [""]),
  sigmoidCrossEntropyGradient: pattern({ dy: "", logits: "r k", targets: "r k", weights: "r k" }, ["r k"]),
  squaredError: pattern({ predictions: "r 1", targets: "r", weights: "r" }, [""]),
  squaredErrorGradient: pattern({ dy: "", predictions: "r 1", targets: "r", weights: "r" }, ["r 1"]),
};

/**
 * The shapes of an operation's outputs. Throws SHAPE_MISMATCH, which names the operation, both shapes and the letter.
 */
export function outputShapes<K extends OpName>(
  op: K,
  inputs: InputsOf<K>,
  attributes: AttributesOf<K>,
): readonly Shape[] {
  const rule: Rule<K> = SHAPE_RULES[op];
  return rule(inputs, attributes, op);
}

/** What a pattern's letters stand for; "..." is kept whole. */
type Letters = Map<string, Dim | Shape>;

/**
 * A rule said in letters: "r i" is a matrix of r rows and i columns, "" a scalar, "..." any whole shape, equal letters
 * are equal dimensions, and 1 is itself.
 */
function pattern<I extends Record<string, AnyTensor>>(
  inputs: { readonly [N in keyof I]: string },
  outputs: readonly string[],
): (tensors: I, attributes: unknown, op: OpName) => readonly Shape[] {
  return (tensors, _, op) => {
    const letters = match(op, inputs, tensors);
    return outputs.map((output) => resolve(output, letters));
  };
}

function match(op: OpName, patterns: Record<string, string>, tensors: Record<string, AnyTensor>): Letters {
  const letters: Letters = new Map();
  const owner = new Map<string, string>();
  for (const [name, pattern] of Object.entries(patterns)) {
    const { shape } = tensors[name];
    const fault = (expected: string, cure?: string) =>
      new ClozeError("SHAPE_MISMATCH", {
        problem: `${op}: ${name} has the wrong shape`,
        expected,
        received: formatShape(shape),
        cure,
      });
    const bind = (letter: string, value: Dim | Shape) => {
      const bound = letters.get(letter);
      if (bound === undefined) {
        letters.set(letter, value);
        owner.set(letter, name);
      } else if (String(bound) !== String(value)) {
        const other = owner.get(letter)!;
        const what = letter === "..." ? "the same shape" : `${letter} = ${bound} in [${pattern.replaceAll(" ", ", ")}]`;
        throw fault(`${what}, as in ${other} ${formatShape(tensors[other].shape)}`);
      }
    };
    if (pattern === "...") {
      bind(pattern, shape);
      continue;
    }
    const wanted = pattern === "" ? [] : pattern.split(" ");
    const fits = (letter: string, axis: number) => letter !== "1" || shape[axis] === 1;
    if (wanted.length !== shape.length || !wanted.every(fits)) throw fault(`[${wanted.join(", ")}]`);
    wanted.forEach((letter, axis) => {
      bind(letter, shape[axis]);
    });
  }
  return letters;
}

function resolve(pattern: string, letters: Letters): Shape {
  if (pattern === "") return [];
  return pattern.split(" ").flatMap((letter) => letters.get(letter) ?? []);
}

function checkHeads(width: Dim | Shape | undefined, heads: number) {
  if (typeof width === "number" && Number.isInteger(heads) && heads > 0 && width % heads === 0) return;
  throw new ClozeError("SHAPE_MISMATCH", {
    problem: "attention: the heads do not divide the hidden size",
    expected: `D as a multiple of N = ${heads}`,
    received: `D = ${width}`,
    cure: "Change hidden_size or num_attention_heads.",
  });
}
