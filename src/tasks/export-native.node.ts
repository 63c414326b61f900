import { join } from "node:path";
import { requireKnown } from "../base/require-known.ts";
import { bert, bertInputs } from "../bert/bert.ts";
import { withoutDropout } from "../bert/config.ts";
import { packForProcessor } from "../executors/executor.node.ts";
import { writeFileAtomic } from "../formats/atomic-write.node.ts";
import { formatJson } from "../formats/json.ts";
import { type Graph, makeGraph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operations.ts";
import { Parameters } from "../graph/parameters.ts";
import { maskedLm } from "../heads/masked-lm.ts";
import { nextSentence } from "../heads/next-sentence.ts";
import { pretraining } from "../heads/pretraining.ts";
import { saveTokenizer } from "../tokenizer/folder.node.ts";
import {
  configJson,
  loadWeights,
  type ModelFolder,
  openModelFolder,
  storedWeights,
} from "./folder/model-folder.node.ts";
import { encodeNativeWeights, NATIVE_WEIGHTS } from "./folder/native-weights.node.ts";
import { claimNewFolder } from "./folder/output-folder.node.ts";
import { TASKS, taskOfFolder } from "./task-table.node.ts";

export interface ExportNativeOptions {
  /** A folder that holds nothing. */
  readonly output: string;
  /** What matrix products will be computed in. */
  readonly precision: "fp32" | "bf16" | "int8";
}

/** What an export wrote. */
export interface NativeExport {
  /** Of the file of weights. */
  readonly bytes: number;
}

/**
 * Writes a model folder whose weights are packed for this processor's kernels, so that opening it packs nothing, and reads
 * only the weights that are not packed, to check them. All that the model can be asked is asked of it in the same way, but it
 * cannot be trained further. Throws OUTPUT_NOT_EMPTY, OPTION_INVALID for a precision that the processor lacks,
 * DEVICE_UNAVAILABLE, and the errors of `openModelFolder`, `loadWeights` and of writing.
 */
export async function exportNative(folder: string, options: ExportNativeOptions): Promise<NativeExport> {
  requireKnown(options, { output: true, precision: true });
  const { output, precision } = options;
  const model = await openModelFolder(folder);
  const graph = await inferenceGraph(model);
  const parameters = new Parameters(graph.parameters);
  await loadWeights(folder, parameters);
  const packed = await packForProcessor(graph, parameters, precision);
  const chunks = encodeNativeWeights(packed, parameters, precision);
  await claimNewFolder(output);
  await writeFileAtomic(join(output, NATIVE_WEIGHTS), chunks);
  await saveTokenizer(model.tokenizer, output);
  await writeFileAtomic(join(output, "config.json"), formatJson(await configJson(folder)));
  return { bytes: chunks.reduce((sum, { length }) => sum + length, 0) };
}

/** All that a folder's model computes when it predicts: with its task's head, those of its pre-training, or none. */
async function inferenceGraph({ path, config: withDropout }: ModelFolder): Promise<Graph> {
  const task = await taskOfFolder(path);
  if (task !== undefined) return TASKS[task].graph(path);
  const config = withoutDropout(withDropout);
  const names = (await storedWeights(path)).map(({ name }) => name);
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix));
  const outputs = (): Record<string, Tensor> => {
    const fillsMasks = has("cls.predictions.");
    const judgesPairs = has("cls.seq_relationship.");
    if (fillsMasks && judgesPairs) {
      const heads = pretraining(config);
      return { words: heads.masked.logits, pairs: heads.nextSentence.logits };
    }
    if (fillsMasks) return { words: maskedLm(config).logits };
    if (judgesPairs) return { pairs: nextSentence(config).logits };
    return { hidden: bert(config, bertInputs()).hidden };
  };
  return makeGraph(outputs());
}
