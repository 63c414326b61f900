import { layerNorm, linear, parameter } from "../graph/build.ts";
import type { Tensor } from "../graph/operations.ts";

/** A linear layer with its own weight [out, in] and bias [out], named as Hugging Face names them. */
export function dense(x: Tensor, name: string, size: { in: number; out: number }): Tensor {
  const weight = parameter(`${name}.weight`, [size.out, size.in], "normal");
  const bias = parameter(`${name}.bias`, [size.out], "zeros");
  return linear(x, weight, bias);
}

/** Layer normalisation with its own weight and bias. */
export function norm(x: Tensor, name: string, width: number, epsilon: number): Tensor {
  return layerNorm(
    x,
    parameter(`${name}.weight`, [width], "ones"),
    parameter(`${name}.bias`, [width], "zeros"),
    epsilon,
  );
}
