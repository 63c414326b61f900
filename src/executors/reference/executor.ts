import { ClozeError } from "../../base/errors.ts";
import { dropoutSites, fillDropoutMask } from "../../graph/dropout-mask.ts";
import { disposedError, type Executable, type Executor, type Value } from "../../graph/executor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Bindings, bindInputs, bindShape, checkOutputs } from "../../graph/inputs.ts";
import type { AnyTensor, NodeOf, OpName } from "../../graph/operations.ts";
import { type NamedParameters, numbersOf, requireParameters } from "../../graph/parameters.ts";
import { ATTENTION_RULES } from "./attention.ts";
import { LAYER_NORM_RULES } from "./layer-norm.ts";
import { LINEAR_RULES } from "./linear.ts";
import { LOSS_RULES } from "./loss.ts";
import { POINTWISE_RULES } from "./pointwise.ts";
import type { Numbers, Rule, Rules, Run } from "./rules.ts";
import { SEGMENT_LOSS_RULES } from "./segment-loss.ts";
import { SOURCE_RULES } from "./sources.ts";

const RULES: Rules = {
  ...SOURCE_RULES,
  ...LINEAR_RULES,
  ...POINTWISE_RULES,
  ...LAYER_NORM_RULES,
  ...ATTENTION_RULES,
  ...LOSS_RULES,
  ...SEGMENT_LOSS_RULES,
};

/**
 * The definition of every operation, in plain TypeScript and float64: slow and obvious, what other executors are tested
 * against. It gives float64 outputs, and computes from float64 inputs without rounding them.
 */
export const referenceExecutor: Executor = {
  name: "reference",

  async load(graph: Graph, parameters: NamedParameters): Promise<Executable> {
    requireParameters(graph.parameters, parameters);
    let disposed = false;
    return {
      async run(inputs, options = {}) {
        if (disposed) throw disposedError();
        options.signal?.throwIfAborted();
        const bindings = bindInputs(graph, inputs, options.seed);
        checkOutputs(graph, bindings, options.outputs);
        const computed = evaluate(graph, parameters, inputs, bindings, options.seed);
        const outputs = Object.entries(graph.outputs).map(([name, tensor]) => {
          const data = deliver(computed.get(tensor)!, options.outputs?.[name]);
          return [name, { data, shape: bindShape(tensor.shape, bindings) }];
        });
        return Object.fromEntries(outputs);
      },
      async dispose() {
        disposed = true;
      },
    };
  },
};

/** Computes every node after those that it reads. */
function evaluate(
  graph: Graph,
  parameters: NamedParameters,
  inputs: Readonly<Record<string, Value>>,
  bindings: Bindings,
  seed: number | undefined,
): Map<AnyTensor, Numbers> {
  const computed = new Map<AnyTensor, Numbers>();
  const sites = dropoutSites(graph);
  const floats = (tensor: AnyTensor) => expectFloats(computed.get(tensor)!);

  const run: Run = {
    floats,
    matrix(tensor) {
      const [rows, columns] = bindShape(tensor.shape, bindings);
      return { rows, columns, data: floats(tensor) };
    },
    integers: (tensor) => expectIntegers(computed.get(tensor)!),
    input: (name) => widen(inputs[name].data),
    parameter: (name) => Float64Array.from(numbersOf(parameters, name)),
    dropoutMask(node, rate, count) {
      const mask = new Float32Array(count);
      fillDropoutMask(mask, rate, seed!, sites.get(node)!); // bindInputs has seen to the seed
      return mask;
    },
  };

  for (const node of graph.nodes) {
    const results = apply(node, run);
    for (const tensor of node.outputs) computed.set(tensor, results[tensor.output]);
  }
  return computed;
}

function apply<K extends OpName>(node: NodeOf<K>, run: Run): readonly Numbers[] {
  const rule: Rule<K> = RULES[node.op];
  return rule(node, run);
}

function widen(data: Value["data"]): Numbers {
  return data instanceof Int32Array ? data : Float64Array.from(data);
}

function deliver(numbers: Numbers, buffer: Float32Array | undefined): Value["data"] {
  if (buffer === undefined) return numbers;
  buffer.set(numbers);
  return buffer;
}

function expectFloats(numbers: Numbers): Float64Array {
  if (numbers instanceof Float64Array) return numbers;
  throw new ClozeError("INTERNAL", { problem: "a float tensor holds integers" });
}

function expectIntegers(numbers: Numbers): Int32Array {
  if (numbers instanceof Int32Array) return numbers;
  throw new ClozeError("INTERNAL", { problem: "an integer tensor holds floats" });
}
