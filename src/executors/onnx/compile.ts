import { ClozeError } from "../../base/errors.ts";
import { dropoutSites } from "../../graph/dropout-mask.ts";
import type { Graph } from "../../graph/graph.ts";
import type { AnyTensor } from "../../graph/operations.ts";
import { type AnyNode, isNode } from "../../graph/operations.ts";
import { type NamedParameters, numbersOf } from "../../graph/parameters.ts";
import type { Shape } from "../../graph/shape.ts";
import { OnnxBuilder } from "./builder.ts";
import { lower } from "./lower.ts";
import type { Lowering } from "./lowering.ts";

/** A dropout mask that each run feeds: the place of its node in the graph, its rate and its shape. */
export interface MaskInput {
  readonly name: string;
  readonly site: number;
  readonly rate: number;
  readonly shape: Shape;
}

export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly masks: readonly MaskInput[];
}

/**
 * Lowers a graph to an ONNX model. Parameters become inputs, which a run reads where they lie, or with `frozen` constants
 * of the model, which ONNX Runtime packs once.
 */
export function compileOnnx(graph: Graph, frozen?: NamedParameters): OnnxModel {
  const onnx = new OnnxBuilder();
  const names = new Map<AnyNode, readonly string[]>();
  const kept = new Map<AnyNode, Readonly<Record<string, string>>>();
  const values = new Map<object, unknown>();
  const sites = dropoutSites(graph);
  const masks = new Map<number, MaskInput>();

  const lowering: Lowering = {
    onnx,
    name: ({ node, output }: AnyTensor) => names.get(node)![output],
    mask: (node) => {
      const site = sites.get(node)!;
      let mask = masks.get(site);
      if (mask === undefined) {
        mask = { ...maskForm(node), site, name: `dropout:${masks.size}` };
        masks.set(site, mask);
        onnx.input(mask.name, "float32", mask.shape);
      }
      return mask.name;
    },
    keep: (node, byName) => kept.set(node, byName),
    kept: (node, name) => kept.get(node)![name],
    shared: <T>(key: object, make: () => T): T => {
      if (!values.has(key)) values.set(key, make());
      return values.get(key) as T;
    },
    parameter: ({ attributes: { name, shape } }) =>
      frozen ? onnx.initializer(name, shape, numbersOf(frozen, name)) : onnx.input(name, "float32", shape),
  };
  for (const node of graph.nodes) names.set(node, lower(node, lowering));
  const outputs = Object.entries(graph.outputs).map(([name, tensor]) => ({
    name: outputName(name),
    value: lowering.name(tensor),
    dtype: tensor.dtype,
    shape: tensor.shape,
  }));
  return { bytes: onnx.encode(outputs), masks: [...masks.values()] };
}

/** Outputs have a name space of their own, so that the gradient of a parameter may carry the parameter's name. */
export function outputName(name: string): string {
  return `output:${name}`;
}

function maskForm(node: AnyNode): { rate: number; shape: Shape } {
  if (isNode(node, "attention")) {
    return { rate: node.attributes.dropout, shape: [node.inputs.lengths.shape[0], node.attributes.heads, "S", "S"] };
  }
  if (isNode(node, "dropout")) return { rate: node.attributes.rate, shape: node.inputs.x.shape };
  throw new ClozeError("INTERNAL", { problem: `${node.op} has no dropout` });
}
