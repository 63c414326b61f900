import { layerNorm, linear, parameter } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

/** A part of a model with parameters of its own, which has them once however often it is used. */
export type Layer = (x: Tensor) => Tensor;

/** A linear layer with its own weight [out, in] and bias [out], named as Hugging Face names them. */
export function dense(name: string, size: { in: number; out: number }): Layer {
  const weight = parameter(`${name}.weight`, [size.out, size.in], "normal");
  const bias = parameter(`${name}.bias`, [size.out], "zeros");
  return (x) => linear(x, weight, bias);
}

/** Layer normalisation with its own weight and bias. */
export function norm(name: string, width: number, epsilon: number): Layer {
  const weight = parameter(`${name}.weight`, [width], "ones");
  const bias = parameter(`${name}.bias`, [width], "zeros");
  return (x) => layerNorm(x, weight, bias, epsilon);
}
