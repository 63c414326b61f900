import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { indexOfNotFinite } from "../base/finite.ts";
import {
  recoverAtomicWrite,
  recoverAtomicWrites,
  writeFileAtomic,
  writeFolderAtomic,
} from "../formats/atomic-write.node.ts";
import { writeError } from "../formats/file-errors.node.ts";
import { formatJson } from "../formats/json.ts";
import { encodeSafetensors, type Safetensors } from "../formats/safetensors.ts";
import { readSafetensors } from "../formats/safetensors-file.node.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Checkpoints, TrainingState } from "./checkpoints.ts";
import { encodeParameters } from "./weights.ts";

export interface CheckpointFolder<S extends TrainingState> extends Checkpoints<S> {
  /** Whether there is anything of a training, begun or ended. */
  isBegun(): Promise<boolean>;
  /** Records that the training has ended and its result is written, and removes what was kept to continue it. */
  end(state: S): Promise<void>;
  /** The state in which the training ended; undefined where it has not. */
  ended(): Promise<S | undefined>;
  /** Gives up whatever training is there and begins one anew, so that it can be resumed before its first checkpoint. */
  clear(): Promise<void>;
}

/**
 * Checkpoints in the output folder of a training: each `checkpoints/step-N/` holds state, weights and the optimizer's
 * moments after N updates, `checkpoints/best.safetensors` the weights of the best evaluation; at the end only the state
 * stays, as `training.json`. Each comes by a rename, so a kill at any moment leaves only whole ones.
 *
 * @param schema the form of a state
 * @param keep how many of the latest checkpoints stay
 */
export function checkpointFolder<S extends TrainingState>(
  output: string,
  schema: z.ZodType<S>,
  { keep = 1 }: { readonly keep?: number } = {},
): CheckpointFolder<S> {
  const folder = join(output, "checkpoints");
  const best = join(folder, "best.safetensors");
  const record = join(output, "training.json");
  const pathOf = (step: number) => join(folder, `step-${step}`);
  /** The steps of the checkpoints, the latest first. */
  const steps = async (): Promise<number[]> => {
    const names = await readdir(folder).catch(() => []);
    const found = names.flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
    return found.sort((a, b) => b - a);
  };
  /** Out of the way first: a kill then leaves nothing that could be taken for a checkpoint. */
  const removeWhole = async (path: string) => {
    const aside = join(dirname(path), `.${basename(path)}.removed`);
    await remove(aside);
    if (await exists(path)) await rename(path, aside);
    await remove(aside);
  };
  return {
    isBegun: async () => (await exists(folder)) || (await exists(record)),

    async end(state) {
      await writeFileAtomic(record, formatJson(state));
      await removeWhole(folder);
    },
    async ended() {
      await recoverAtomicWrite(record);
      return (await exists(record)) ? parseState(record, schema, START_ANEW) : undefined;
    },

    async clear() {
      await removeWhole(folder);
      await remove(record);
      await makeFolder(folder);
    },

    async save(state, parameters, optimizer) {
      await makeFolder(folder);
      const { step, m, v } = optimizer.state;
      await writeFolderAtomic(pathOf(state.step), async (staging) => {
        await writeFile(join(staging, STATE), formatJson(state));
        await writeFile(join(staging, "model.safetensors"), encodeParameters(parameters));
        const moments = Object.entries({ m, v }).map(([name, data]) => {
          return { name, dtype: "F32" as const, shape: [data.length], data };
        });
        await writeFile(join(staging, "optimizer.safetensors"), encodeSafetensors(moments, { step: String(step) }));
      });
      for (const old of (await steps()).slice(keep)) await removeWhole(pathOf(old));
    },

    async state() {
      await recoverAtomicWrites(folder);
      const [latest] = await steps();
      return latest === undefined ? undefined : parseState(join(pathOf(latest), STATE), schema, GO_BACK);
    },

    async restore({ step }, parameters, optimizer) {
      await readInto(join(pathOf(step), "model.safetensors"), buffersOf(parameters));
      const { m, v } = optimizer.state;
      const { metadata } = await readInto(join(pathOf(step), "optimizer.safetensors"), { m, v });
      optimizer.restore({ step: Number(metadata.get("step")), m, v });
    },

    async saveBest(parameters) {
      await makeFolder(folder);
      await writeFileAtomic(best, encodeParameters(parameters));
    },
    async loadBest(parameters) {
      await readInto(best, buffersOf(parameters), START_ANEW);
    },

    howToResume: "Run the same command with --resume to continue where it stopped.",
  };
}

const STATE = "state.json";

function buffersOf(parameters: Parameters): Record<string, Float32Array> {
  return Object.fromEntries(parameters.views.map(({ spec, data }) => [spec.name, data]));
}

async function readInto(
  path: string,
  buffers: Readonly<Record<string, Float32Array>>,
  cure = GO_BACK,
): Promise<Safetensors> {
  const stored = await readSafetensors(path, { into: (name) => buffers[name] });
  const missing = Object.keys(buffers).filter((name) => !stored.tensors.has(name));
  if (missing.length > 0) {
    throw malformed(`${path} lacks ${missing.length} tensors`, missing.slice(0, 3).join(", "), { cure });
  }
  for (const [name, data] of Object.entries(buffers)) {
    const at = indexOfNotFinite(data);
    if (at >= 0) {
      throw malformed(`${path} is spoilt: ${name} has numbers that are not finite`, `${data[at]} at ${at}`, { cure });
    }
  }
  return stored;
}

async function parseState<S>(path: string, schema: z.ZodType<S>, cure: string): Promise<S> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw malformed(`${path} is no training state`, String(cause), { cure, cause });
  }
}

/** What helps where one of several checkpoints is damaged, and where it is what there is only one of. */
const GO_BACK = "Take its folder away to go on from the checkpoint before, or start anew with --overwrite.";
const START_ANEW = "Name another --output, or start anew with --overwrite.";

function malformed(problem: string, received: string, { cure, cause }: { cure: string; cause?: unknown }): ClozeError {
  return new ClozeError("CHECKPOINT_MALFORMED", { problem, received, cure, cause });
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw writeError(path, error);
  });
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error) => {
    throw writeError(path, error);
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
