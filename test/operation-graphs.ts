import { Random } from "../src/base/random.ts";
import { input, linear, parameter, softmaxCrossEntropy } from "../src/graph/build.ts";
import { differentiate } from "../src/graph/differentiate.ts";
import type { Value } from "../src/graph/executor.ts";
import { type Graph, makeGraph } from "../src/graph/graph.ts";
import type { AnyTensor, Tensor } from "../src/graph/operations.ts";
import { Parameters, sizeOf } from "../src/graph/parameters.ts";
import type { Shape } from "../src/graph/shape.ts";
import type { OperationCase } from "./operation-cases.ts";

/** Whether operands of a fixed shape are inputs like all others, or parameters. */
export type Weights = "inputs" | "parameters";

/** Numbers by the name of an input or output. */
export type Values = Readonly<Record<string, Value>>;

/** A graph with all that a run of it takes. */
export interface Runnable {
  readonly graph: Graph;
  readonly parameters: Parameters;
  readonly inputs: Values;
  readonly seed: number | undefined;
}

/** The operation alone: output `y`. */
export function forwardOf(operation: OperationCase, weights: Weights): Runnable {
  const { y, values } = declareCase(operation, weights);
  return runnable(operation, { y }, values);
}

/** Names of the operands, for `backwardOf`. */
export function operandsOf(operation: OperationCase): string[] {
  return [...declareCase(operation, "inputs").operands.keys()];
}

/** A scalar made from the operation, output `loss`, and its gradients by each of the named operands. */
export function backwardOf(operation: OperationCase, weights: Weights, names: readonly string[]): Runnable {
  const { y, values, operands, give } = declareCase(operation, weights);
  const loss = scalarOf(y, give);
  const gradients = differentiate(
    loss,
    names.map((name) => operands.get(name)!),
  );
  return runnable(operation, { loss, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]])) }, values);
}

interface Declared {
  readonly y: Tensor;
  readonly operands: ReadonlyMap<string, Tensor>;
  readonly values: ReadonlyMap<string, Value>;
  readonly give: Give;
}

/** Declares an input or parameter and its numbers. */
interface Give {
  float(name: string, shape: Shape): Tensor;
  int(name: string, shape: Shape, values: (size: number) => readonly number[]): Tensor<"int32">;
}

function declareCase({ title, sizes, spread = 1, build }: OperationCase, weights: Weights): Declared {
  const values = new Map<string, Value>();
  const operands = new Map<string, Tensor>();
  const concrete = (shape: Shape) => shape.map((dim) => (typeof dim === "number" ? dim : sizes[dim]!));
  const give: Give = {
    float(name, dims) {
      const shape = concrete(dims);
      const random = Random.of(title, name);
      values.set(name, { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => spread * random.normal()) });
      const isWeight = weights === "parameters" && dims.length > 0 && dims.every((dim) => typeof dim === "number");
      return isWeight ? parameter(name, shape, "zeros") : input(name, "float32", dims);
    },
    int(name, dims, numbers) {
      const shape = concrete(dims);
      values.set(name, { shape, data: Int32Array.from(numbers(sizeOf(shape))) });
      return input(name, "int32", dims);
    },
  };
  const y = build({
    float(name, shape) {
      const operand = give.float(name, shape);
      operands.set(name, operand);
      return operand;
    },
    fixed: give.float,
    positive(name, shape) {
      const operand = give.float(name, shape);
      const { data } = values.get(name)!;
      data.forEach((number, i) => {
        data[i] = Math.abs(number);
      });
      return operand;
    },
    int: (name, shape, numbers) => give.int(name, shape, () => numbers),
  });
  return { y, operands, values, give };
}

/**
 * The cross-entropy of a linear layer over y [R, C], or with the bias y [K]: what flows back into y differs everywhere and
 * does not sum to zero in a row, as it would without the layer.
 */
function scalarOf(y: Tensor, give: Give): Tensor {
  if (y.shape.length === 0) return y;
  const [x, bias] = y.shape.length === 1 ? [give.float("probe.x", [2, 4]), y] : [y, give.float("probe.bias", [3])];
  const [[R, C], [K]] = [x.shape, bias.shape];
  const logits = linear(x, give.float("probe.weight", [K, C]), bias); // [R, K]
  const labels = give.int("probe.labels", [R], (size) => Array.from({ length: size }, (_, row) => (row * row) % 3));
  return softmaxCrossEntropy(logits, labels, give.float("probe.weights", [R]));
}

function runnable(
  { seed }: OperationCase,
  outputs: Readonly<Record<string, AnyTensor>>,
  values: ReadonlyMap<string, Value>,
): Runnable {
  const graph = makeGraph(outputs);
  const parameters = new Parameters(graph.parameters);
  for (const { spec, data } of parameters.views) data.set(values.get(spec.name)!.data);
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, values.get(name)!]));
  return { graph, parameters, inputs, seed };
}
