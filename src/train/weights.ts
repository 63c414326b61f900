import { encodeSafetensors, toFloat16 } from "../formats/safetensors.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Segment } from "../optim/optimizer.ts";

/** How weights are stored: float16 takes half the room, at a relative error of up to 2^-11. */
export type WeightType = "float16" | "float32";

/** The parameters as the chunks of a safetensors file that other tools open too. */
export function encodeParameters({ views }: Parameters, type: WeightType = "float32"): Uint8Array[] {
  const tensors = views.map(({ spec: { name, shape }, data }) =>
    type === "float32" ? { name, shape, dtype: "F32" as const, data } : toFloat16({ name, shape, data }),
  );
  return encodeSafetensors(tensors, { format: "pt" });
}

/**
 * The parameters as an optimizer sees them: all but vectors, which are biases and layer normalisation, decay. `rateOf` gives
 * a parameter's learning rate as a multiple of the step's.
 */
export function segmentsOf({ views }: Parameters, rateOf: (name: string) => number = () => 1): Segment[] {
  return views.map(({ offset, data, spec: { name, shape } }) => ({
    offset,
    length: data.length,
    decay: shape.length > 1,
    rate: rateOf(name),
  }));
}
