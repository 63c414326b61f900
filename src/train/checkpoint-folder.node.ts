import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { recoverAtomicWrite, writeFileAtomic, writeFolderAtomic } from "../formats/atomic-write.node.ts";
import { writeError } from "../formats/file-errors.node.ts";
import { encodeSafetensors } from "../formats/safetensors.ts";
import { readSafetensors } from "../formats/safetensors-file.node.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Checkpoints, TrainingState } from "./checkpoints.ts";
import { encodeParameters } from "./weights.ts";

const State = z.object({
  step: z.int().min(0),
  epochLoss: z.number(),
  best: z
    .object({ step: z.int(), evaluation: z.object({ score: z.number(), metrics: z.record(z.string(), z.unknown()) }) })
    .nullable(),
  evaluationsSinceBest: z.int().min(0),
  settings: z.record(z.string(), z.union([z.boolean(), z.number(), z.string()])),
});

export interface CheckpointFolder extends Checkpoints {
  /** Whether there is anything of a training, begun or ended. */
  isBegun(): Promise<boolean>;
  /** Records that the training has ended and its result is written, and removes what was kept to continue it. */
  end(state: TrainingState): Promise<void>;
  /** The state in which the training ended; undefined where it has not. */
  ended(): Promise<TrainingState | undefined>;
  /** Gives up whatever training is there and begins one anew, so that it can be resumed before its first checkpoint. */
  clear(): Promise<void>;
}

/**
 * Checkpoints in the output folder of a training: `checkpoints/last/` holds state, weights and the optimizer's moments,
 * `checkpoints/best.safetensors` the weights of the best evaluation; at the end only the state stays, as `training.json`.
 * Each is replaced by a rename, so a kill at any moment leaves one that is whole.
 */
export function checkpointFolder(output: string): CheckpointFolder {
  const folder = join(output, "checkpoints");
  const last = join(folder, "last");
  const best = join(folder, "best.safetensors");
  const record = join(output, "training.json");
  const lastState = join(last, STATE);
  /** The state goes first: a checkpoint without it is none, so what a kill leaves of it does no harm. */
  const removeCheckpoints = async () => {
    await recoverAtomicWrite(last);
    await remove(lastState);
    await remove(folder);
  };
  return {
    isBegun: async () => (await exists(folder)) || (await exists(record)),

    async end(state) {
      await writeFileAtomic(record, formatState(state));
      await removeCheckpoints();
    },
    async ended() {
      await recoverAtomicWrite(record);
      return (await exists(record)) ? readState(record) : undefined;
    },

    async clear() {
      await remove(record);
      await removeCheckpoints();
      await makeFolder(folder);
    },

    async save(state, parameters, optimizer) {
      await makeFolder(folder);
      const { step, m, v } = optimizer.state;
      await writeFolderAtomic(last, async (staging) => {
        await writeFile(join(staging, STATE), formatState(state));
        await writeFile(join(staging, "model.safetensors"), encodeParameters(parameters));
        const moments = Object.entries({ m, v }).map(([name, data]) => {
          return { name, dtype: "F32" as const, shape: [data.length], data };
        });
        await writeFile(join(staging, "optimizer.safetensors"), encodeSafetensors(moments, { step: String(step) }));
      });
    },

    async state() {
      for (const path of [last, best]) await recoverAtomicWrite(path);
      return (await exists(lastState)) ? readState(lastState) : undefined;
    },

    async restore({ step }, parameters, optimizer) {
      await readInto(join(last, "model.safetensors"), buffersOf(parameters));
      const { m, v } = optimizer.state;
      await readInto(join(last, "optimizer.safetensors"), { m, v });
      optimizer.restore({ step, m, v });
    },

    async saveBest(parameters) {
      await makeFolder(folder);
      await writeFileAtomic(best, encodeParameters(parameters));
    },
    loadBest: (parameters) => readInto(best, buffersOf(parameters)),

    howToResume: "Run the same command with --resume to continue where it stopped.",
  };
}

const STATE = "state.json";

function formatState(state: TrainingState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

function buffersOf(parameters: Parameters): Record<string, Float32Array> {
  return Object.fromEntries(parameters.views.map(({ spec, data }) => [spec.name, data]));
}

async function readInto(path: string, buffers: Readonly<Record<string, Float32Array>>): Promise<void> {
  const { tensors } = await readSafetensors(path, { into: (name) => buffers[name] });
  const missing = Object.keys(buffers).filter((name) => !tensors.has(name));
  if (missing.length > 0) throw malformed(`${path} lacks ${missing.length} tensors`, missing.slice(0, 3).join(", "));
}

async function readState(path: string): Promise<TrainingState> {
  try {
    return State.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw malformed(`${path} is no training state`, String(cause), cause);
  }
}

function malformed(problem: string, received: string, cause?: unknown): ClozeError {
  return new ClozeError("CHECKPOINT_MALFORMED", { problem, received, cure: "Start anew with --overwrite.", cause });
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
