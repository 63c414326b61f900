import { encodeSafetensors } from "../formats/safetensors.ts";
import type { Parameters } from "../graph/parameters.ts";

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
