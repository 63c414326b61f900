import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../base/errors.ts";
import { recoverAtomicWrite, writeFileAtomic, writeFolderAtomic } from "../formats/atomic-write.node.ts";
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

/**
 * Checkpoints on disk: `last/` holds state, weights and the optimizer's moments, `best.safetensors` the weights of the best
 * evaluation. Each is replaced by a rename, so a kill at any moment leaves one that is whole.
 */
export function checkpointFolder(folder: string): Checkpoints & { remove(): Promise<void> } {
  const last = join(folder, "last");
  const best = join(folder, "best.safetensors");
  return {
    howToResume: "Run the same command with --resume to continue where it stopped.",

    async save(state, parameters, optimizer) {
      await mkdir(folder, { recursive: true });
      const { step, m, v } = optimizer.state;
      await writeFolderAtomic(last, async (staging) => {
        await writeFile(join(staging, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
        await writeFile(join(staging, "model.safetensors"), encodeParameters(parameters));
        const moments = [m, v].map((data, i) => ({
          name: "mv"[i]!,
          dtype: "F32" as const,
          shape: [data.length],
          data,
        }));
        await writeFile(join(staging, "optimizer.safetensors"), encodeSafetensors(moments, { step: String(step) }));
      });
    },

    async load(parameters, optimizer) {
      await recoverAtomicWrite(last);
      if (!(await exists(last))) return undefined;
      const state = await readState(join(last, "state.json"));
      await readInto(join(last, "model.safetensors"), parameters);
      const { m, v } = optimizer.state;
      await readSafetensors(join(last, "optimizer.safetensors"), { into: (name) => (name === "m" ? m : v) });
      optimizer.restore({ step: state.step, m, v });
      return state;
    },

    async saveBest(parameters) {
      await mkdir(folder, { recursive: true });
      await writeFileAtomic(best, encodeParameters(parameters));
    },
    loadBest: (parameters) => readInto(best, parameters),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function readInto(path: string, parameters: Parameters) {
  await readSafetensors(path, { into: (name) => parameters.get(name).data });
}

async function readState(path: string): Promise<TrainingState> {
  try {
    return State.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new ClozeError("CHECKPOINT_MALFORMED", {
      problem: `${path} is no training state`,
      received: String(cause),
      cure: "Start anew with --overwrite.",
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
