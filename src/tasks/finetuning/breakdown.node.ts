import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import { recoverAtomicWrite, writeFileAtomic } from "../../formats/atomic-write.node.ts";
import { formatJson, parseJson } from "../../formats/json.ts";
import type { Settings } from "../../train/checkpoints.ts";
import { changedSettings, SettingsSchema } from "../../train/settings.ts";

/** What a training throws that breaks down: of an update, or of an evaluation. */
const CODES = ["LOSS_NOT_FINITE", "LOGITS_NOT_FINITE"] as const;

/** An error that says that a training broke down. */
export type Breakdown = ClozeError & { readonly code: (typeof CODES)[number] };

export function isBreakdown(error: unknown): error is Breakdown {
  return error instanceof ClozeError && CODES.some((code) => code === error.code);
}

const Schema = z.object({
  code: z.enum(CODES),
  problem: z.string(),
  received: z.string().optional(),
  settings: SettingsSchema,
});

/**
 * The memory of a training, in its output folder, that it broke down. Nothing in training is left to chance, so with the same
 * settings and data it would do so again.
 */
export function breakdownRecord(output: string) {
  const path = join(output, "breakdown.json");
  return {
    /** Writes an error down, if it is a breakdown. */
    async keep(error: unknown, settings: Settings): Promise<void> {
      if (!isBreakdown(error)) return;
      const { code, problem, received } = error;
      const record: z.infer<typeof Schema> = { code, problem, received, settings };
      await writeFileAtomic(path, formatJson(record));
    },

    /** The error that a training with these settings would end in; undefined where none of them has broken down. */
    async recall(settings: Settings): Promise<ClozeError | undefined> {
      await recoverAtomicWrite(path);
      const text = await readFile(path, "utf8").catch(() => "");
      const record = Schema.safeParse(parseJson(text, () => undefined));
      if (!record.success || changedSettings({ step: 0, settings: record.data.settings }, settings)) return undefined;
      const { code, problem, received } = record.data;
      const cure = `With the same settings it would do so again; to try it nevertheless, delete ${path}.`;
      return new ClozeError(code, { problem, received, cure });
    },

    async forget(): Promise<void> {
      await rm(path, { force: true });
    },
  };
}
