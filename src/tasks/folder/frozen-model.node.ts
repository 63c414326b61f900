import { type ExecutorOptions, openExecutor } from "../../executors/executor.node.ts";
import type { Executor } from "../../graph/executor.ts";
import type { ParameterSpec } from "../../graph/graph.ts";
import { type NamedParameters, Parameters } from "../../graph/parameters.ts";
import { type Head, loadHeadWeights } from "./head-weights.node.ts";
import { loadWeights } from "./model-folder.node.ts";
import { NativeWeights } from "./native-weights.node.ts";

/** The weights of a folder, to be read alone, and what runs graphs with them. */
export interface FrozenModel {
  readonly executor: Executor;
  /** The weights of these names. `head`: the part that the folder may lack. Throws as `loadWeights` and `loadHeadWeights` do. */
  parameters(specs: readonly ParameterSpec[], head?: Head): Promise<NamedParameters>;
}

/**
 * Opens a folder's weights for inference, be they packed or not: packed ones decide what `auto` stands for. Throws
 * OPTION_INVALID, DEVICE_UNAVAILABLE, and for packed weights the errors of `NativeWeights.open`.
 */
export async function openFrozenModel(folder: string, options: ExecutorOptions = {}): Promise<FrozenModel> {
  const native = await NativeWeights.open(folder);
  if (native !== undefined) {
    const { device = "cpu", precision = "auto" } = options;
    const chosen = {
      ...options,
      device: device === "auto" ? ("cpu" as const) : device,
      precision: precision === "auto" ? native.precision : precision,
    };
    return {
      executor: await openExecutor(chosen, "inference"),
      parameters: async (specs) => native.parameters(specs),
    };
  }
  return {
    executor: await openExecutor(options, "inference"),
    async parameters(specs, head) {
      const parameters = new Parameters(specs);
      if (head === undefined) await loadWeights(folder, parameters);
      else await loadHeadWeights(folder, parameters, head);
      return parameters;
    },
  };
}
