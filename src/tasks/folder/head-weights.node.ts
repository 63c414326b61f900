import { ClozeError } from "../../base/errors.ts";
import type { Parameters } from "../../graph/parameters.ts";
import { loadWeights } from "./model-folder.node.ts";

/** The part of a model that a task needs beside the encoder. */
export interface Head {
  /** Its name in messages. */
  readonly name: string;
  /** What the names of its weights begin with. */
  readonly prefixes: readonly string[];
}

/**
 * Reads the weights of a pre-trained model with one of its heads. Throws MODEL_INCOMPLETE, which says so, where the
 * folder lacks that head, and the errors of `loadWeights`.
 */
export async function loadHeadWeights(folder: string, parameters: Parameters, head: Head): Promise<void> {
  const { missing } = await loadWeights(folder, parameters, { optional: head.prefixes });
  if (missing.length === 0) return;
  throw new ClozeError("MODEL_INCOMPLETE", {
    problem: `the model in ${folder} has no head for ${head.name}`,
    expected: missing.join(", "),
    cure: "Use a model that was pre-trained for it and saved with that head.",
  });
}
