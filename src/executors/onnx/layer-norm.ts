import type { NodeOf } from "../../graph/operations.ts";
import type { Lowering } from "./lowering.ts";

export function lowerLayerNorm(node: NodeOf<"layerNorm">, lowering: Lowering): string {
  const { onnx, name } = lowering;
  const { x, weight, bias } = node.inputs;
  const [y, mean, inverse] = onnx.nodes("LayerNormalization", [name(x), name(weight), name(bias)], {
    attributes: { axis: -1, epsilon: { float: node.attributes.epsilon } },
    outputs: 3,
  });
  lowering.keep(node, { mean: mean!, inverse: inverse! }); // [R, 1] each
  return y!;
}

/** With x̂ = (x - mean) / σ and g = dy × weight: dx = (g - mean(g) - x̂ mean(g x̂)) / σ. */
export function lowerLayerNormGradient(node: NodeOf<"layerNormGradient">, { onnx, name, kept }: Lowering): string[] {
  const { forward } = node.attributes;
  const dy = name(node.inputs.dy);
  const inverse = kept(forward, "inverse");
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const sub = (a: string, b: string) => onnx.node("Sub", [a, b]);
  const mean = (a: string) => onnx.node("ReduceMean", [a, onnx.int([-1])], { attributes: { keepdims: 1 } }); // [R, 1]

  const normal = mul(sub(name(node.inputs.x), kept(forward, "mean")), inverse); // [R, C]
  const g = mul(dy, name(node.inputs.weight)); // [R, C]
  const centred = sub(g, mean(g));
  const dx = mul(sub(centred, mul(normal, mean(mul(g, normal)))), inverse); // [R, C]
  return [dx, onnx.sum(mul(dy, normal), 0), onnx.sum(dy, 0)];
}
