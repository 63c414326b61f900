import { ClozeError } from "../base/errors.ts";
import { dropoutSites } from "./dropout-mask.ts";
import type { Value } from "./executor.ts";
import type { Graph, InputSpec } from "./graph.ts";
import { type AnyNode, type AnyTensor, isNode, type NodeOf } from "./operations.ts";
import { sizeOf } from "./parameters.ts";
import { type Dim, formatShape, type Letter, type Shape } from "./shape.ts";

/** What the letters of a graph stand for in one run. */
export type Bindings = ReadonlyMap<Letter, number>;

/**
 * Checks the inputs of a run and reads off the values of the letters, before anything is computed, so that no executor
 * ever reads outside a buffer.
 *
 * Throws INPUT_MISSING, INPUT_SHAPE (shape, type or letters do not fit) and ID_OUT_OF_RANGE (an index beyond the rows that
 * it chooses from, a length below 1, lengths that do not add up to the rows that they divide), SHAPE_MISMATCH (attentions with
 * dropout over different lengths), SEED_MISSING and, for a seed that is none, OPTION_INVALID.
 */
export function bindInputs(graph: Graph, inputs: Readonly<Record<string, Value>>, seed?: number): Bindings {
  if (seed === undefined && dropoutSites(graph).size > 0) {
    throw new ClozeError("SEED_MISSING", {
      problem: "the graph has dropout",
      expected: "a seed for this run",
      cure: "Give RunOptions.seed, or build the model without dropout.",
    });
  }
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw new ClozeError("OPTION_INVALID", {
      problem: "that is no seed of a run",
      expected: "a whole number from 0 to 4294967295",
      received: String(seed),
    });
  }
  const bindings = new Map<Letter, number>();
  const owner = new Map<Letter, string>();
  for (const spec of graph.inputs) {
    const value = inputs[spec.name];
    if (value === undefined) {
      throw new ClozeError("INPUT_MISSING", {
        problem: `the run lacks an input`,
        expected: graph.inputs.map(({ name }) => name).join(", "),
        received: Object.keys(inputs).join(", ") || "none",
      });
    }
    checkForm(spec, value);
    spec.shape.forEach((dim, axis) => {
      const size = value.shape[axis];
      const bound = typeof dim === "number" ? dim : bindings.get(dim);
      if (bound !== undefined && bound !== size) {
        const source = typeof dim === "number" ? "the model" : owner.get(dim);
        throw wrongForm(spec, value, `${dim} = ${bound}, as in ${source}`);
      }
      if (typeof dim !== "number" && bound === undefined) {
        bindings.set(dim, size);
        owner.set(dim, spec.name);
      }
    });
  }
  const masked = maskedLengths(graph);
  for (const { lengths, rows } of graph.nodes.flatMap(divisions)) {
    const { sum, longest } = checkLengths(lengths, integersOf(lengths, inputs), bindDim(rows, bindings));
    if (typeof rows !== "number") bindings.set(rows, sum);
    if (masked === undefined || masked === lengths) bindings.set("S", Math.max(longest, bindings.get("S") ?? 0));
  }
  for (const node of graph.nodes) {
    if (isNode(node, "gather")) checkIndices(node.inputs.indices, node.inputs.source.shape[0], inputs, bindings);
    if (isNode(node, "scatterAdd")) checkIndices(node.inputs.indices, node.inputs.like.shape[0], inputs, bindings);
    if (isNode(node, "softmaxCrossEntropy") || isNode(node, "accuracy"))
      checkIndices(node.inputs.labels, node.inputs.logits.shape[1], inputs, bindings);
    if (isNode(node, "segmentCrossEntropy")) checkSegments(node, inputs, bindings);
  }
  return bindings;
}

/**
 * Checks the buffers that a run is to write its outputs into, so that none is left half full. Throws INPUT_SHAPE for a
 * buffer of another size than its output, for an output of integers, and for a name that no output has.
 */
export function checkOutputs(
  graph: Graph,
  bindings: Bindings,
  buffers: Readonly<Record<string, Float32Array>> = {},
): void {
  for (const [name, buffer] of Object.entries(buffers)) {
    const tensor = Object.hasOwn(graph.outputs, name) ? graph.outputs[name] : undefined;
    const size = tensor?.dtype === "float32" && sizeOf(bindShape(tensor.shape, bindings));
    if (buffer instanceof Float32Array && size === buffer.length) continue;
    throw new ClozeError("INPUT_SHAPE", {
      problem: `the buffer for output "${name}" does not fit the model`,
      expected: tensor
        ? `${tensor.dtype} ${formatShape(tensor.shape)}`
        : `one of ${Object.keys(graph.outputs).join(", ")}`,
      received: `a ${buffer.constructor.name} of ${buffer.length}`,
    });
  }
}

/** The numbers behind a shape in one run. */
export function bindShape(shape: Shape, bindings: Bindings): number[] {
  return shape.map((dim) => bindDim(dim, bindings)!);
}

function bindDim(dim: Dim, bindings: Bindings): number | undefined {
  return typeof dim === "number" ? dim : bindings.get(dim);
}

function checkForm(spec: InputSpec, value: Value) {
  const kinds = spec.dtype === "int32" ? [Int32Array] : [Float32Array, Float64Array];
  const isOfKind = kinds.some((kind) => value.data instanceof kind);
  if (value.shape.length !== spec.shape.length || !isOfKind) throw wrongForm(spec, value);
  if (sizeOf(value.shape) !== value.data.length) throw wrongForm(spec, value, `${sizeOf(value.shape)} numbers`);
  if (!value.shape.every((size) => Number.isInteger(size) && size > 0))
    throw wrongForm(spec, value, "at least one row");
}

function wrongForm(spec: InputSpec, value: Value, expected?: string): ClozeError {
  return new ClozeError("INPUT_SHAPE", {
    problem: `input "${spec.name}" does not fit the model`,
    expected: [`${spec.dtype} ${formatShape(spec.shape)}`, ...(expected ? [expected] : [])].join(" with "),
    received: `${value.data.constructor.name} [${value.shape.join(", ")}] of ${value.data.length}`,
  });
}

/** What a tensor of integers holds: those of an input, or what follows from lengths. */
function integersOf({ node }: AnyTensor, inputs: Readonly<Record<string, Value>>): ArrayLike<number> {
  if (isNode(node, "input")) return inputs[node.attributes.name].data;
  if (!isNode(node, "starts") && !isNode(node, "positions")) {
    throw new ClozeError("INTERNAL", { problem: `the integers of ${node.op} are not known before a run` });
  }
  const lengths = Array.from(integersOf(node.inputs.lengths, inputs));
  if (isNode(node, "positions")) return lengths.flatMap((length) => Array.from({ length }, (_, i) => i));
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return end - length;
  });
}

function checkIndices(indices: AnyTensor, rows: Dim, inputs: Readonly<Record<string, Value>>, bindings: Bindings) {
  const bound = bindDim(rows, bindings);
  if (isNode(indices.node, "positions")) {
    const lengths = Array.from(integersOf(indices.node.inputs.lengths, inputs));
    const at = lengths.findIndex((length) => length > bound!);
    if (at >= 0) throw outOfRange(indices, at, lengths[at], `sequences of at most ${bound} tokens`);
    return;
  }
  const data = integersOf(indices, inputs);
  for (let i = 0; i < data.length; i++) {
    if (data[i] < 0 || data[i] >= bound!) throw outOfRange(indices, i, data[i], `0 to ${bound! - 1}`);
  }
}

/** The groups make up all rows, and each label names a row of its own group. */
function checkSegments(
  { inputs: { logits, lengths, labels } }: NodeOf<"segmentCrossEntropy">,
  inputs: Readonly<Record<string, Value>>,
  bindings: Bindings,
) {
  const [rows, columns] = logits.shape.map((dim) => bindDim(dim, bindings));
  const groups = integersOf(lengths, inputs); // [G]
  checkLengths(lengths, groups, rows);
  const data = integersOf(labels, inputs); // [G, C]
  for (let i = 0; i < data.length; i++) {
    const [group, column] = [Math.floor(i / columns!), i % columns!];
    if (data[i] < 0 || data[i] >= groups[group])
      throw outOfRange(labels, `${group}, ${column}`, data[i], `0 to ${groups[group] - 1}`);
  }
}

function outOfRange(tensor: AnyTensor, at: number | string, value: number, expected: string): ClozeError {
  return new ClozeError("ID_OUT_OF_RANGE", {
    problem: `${nameOf(tensor)}[${at}] is out of range`,
    expected,
    received: String(value),
    cure: "Use the vocabulary, the labels and the maximum length that the model was made with.",
  });
}

function nameOf({ node }: AnyTensor): string {
  return isNode(node, "input") ? node.attributes.name : node.op;
}

/** Lengths of sequences, and the rows that they divide. */
function divisions(node: AnyNode): { lengths: AnyTensor; rows: Dim }[] {
  if (isNode(node, "positions") || isNode(node, "starts")) return [{ lengths: node.inputs.lengths, rows: "T" }];
  if (isNode(node, "attention")) return [{ lengths: node.inputs.lengths, rows: node.inputs.query.shape[0] }];
  return [];
}

/**
 * The lengths of the sequences that have dropout masks of attention, if any: of them alone S is the longest. Throws
 * SHAPE_MISMATCH where there are several.
 */
function maskedLengths({ nodes }: Graph): AnyTensor | undefined {
  const masked = nodes.flatMap((node) => (isNode(node, "attention") && node.attributes.dropout > 0 ? [node] : []));
  const [first, ...others] = new Set(masked.map(({ inputs }) => inputs.lengths));
  if (others.length === 0) return first;
  throw new ClozeError("SHAPE_MISMATCH", {
    problem: "attentions with dropout divide their tokens into different sequences",
    expected: "the same lengths for all of a graph",
  });
}

/** `rows`: what the lengths must add up to, where that is known. */
function checkLengths(
  tensor: AnyTensor,
  lengths: ArrayLike<number>,
  rows: number | undefined,
): { sum: number; longest: number } {
  let sum = 0;
  let shortest = Number.POSITIVE_INFINITY;
  let longest = 0;
  for (const length of Array.from(lengths)) {
    sum += length;
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
  }
  if (shortest >= 1 && (rows === undefined || sum === rows)) return { sum, longest };
  throw new ClozeError("ID_OUT_OF_RANGE", {
    problem: `the lengths in "${nameOf(tensor)}" do not fit what they divide`,
    expected: `lengths of at least 1${rows === undefined ? "" : ` that add up to ${rows}`}`,
    received: `${lengths.length} lengths of ${shortest} to ${longest} that add up to ${sum}`,
  });
}
