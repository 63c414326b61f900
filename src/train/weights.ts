import { encodeSafetensors } from "../formats/safetensors.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Segment } from "../optim/optimizer.ts";

/** The parameters as the chunks of a safetensors file that other tools open too. */
export function encodeParameters(parameters: Parameters) {
  const tensors = parameters.views.map(({ spec, data }) => ({
    name: spec.name,
    dtype: "F32" as const,
    shape: spec.shape,
    data,
  }));
  return encodeSafetensors(tensors, { format: "pt" });
}

/** The parameters as an optimizer sees them: all but vectors, which are biases and layer normalisation, decay. */
export function segmentsOf({ views }: Parameters): Segment[] {
  return views.map(({ offset, data, spec }) => ({ offset, length: data.length, decay: spec.shape.length > 1 }));
}
