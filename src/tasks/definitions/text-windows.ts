import { z } from "zod";
import type { Encoding } from "../../tokenizer/encoding.ts";
import { requireAdvance } from "../../tokenizer/truncate.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import type { Feature, TaskContext } from "./task.ts";
import { requirePairs, type TextOrPairs } from "./text-pairs.ts";

/** Optional, so that one that was given is told from one that is to follow the room. */
export const stride = z
  .int()
  .min(0)
  .optional()
  .describe("tokens that windows over a long text have in common")
  .meta({ trainingDefault: "half of what they hold, at most 32" });

/**
 * Tokens that windows share which surely hold `room` tokens of a text. Throws TRUNCATION_IMPOSSIBLE for one that was told and
 * leaves no room, of short texts too: so training stops before it begins.
 */
export function strideOf(told: number | undefined, room: number): number {
  if (told === undefined) return Math.min(32, Math.max(0, room >> 1));
  requireAdvance(told, room);
  return told;
}

/** Settings of tasks that judge a text as a whole. */
export const longTexts = {
  long: z
    .enum(["truncate", "windows"])
    .default("truncate")
    .describe("a text longer than the model takes: cut it, or read it in windows and take the mean of what they say"),
  stride,
};

type LongTexts = z.infer<z.ZodObject<typeof longTexts>>;

/**
 * The sequences of a text or a pair: one, or the windows over it. Throws OPTION_INVALID for a text in place of a pair,
 * TRUNCATION_IMPOSSIBLE.
 */
export function encodeText(
  { text, pair }: TextInput,
  { tokenizer, maxLength, settings }: TaskContext<LongTexts & TextOrPairs>,
): Encoding[] {
  requirePairs({ text, pair }, settings);
  const { long, stride } = settings;
  if (long === "truncate") return [tokenizer.encode(text, { pair, maxLength })];
  const overlap = strideOf(stride, pair === undefined ? maxLength - 2 : (maxLength - 3) >> 1);
  return tokenizer.encodeWindows(text, { pair, maxLength, stride: overlap });
}

/** Each window with the target of the whole text; together they weigh as much as a text of one window. */
export function windowFeatures(
  windows: readonly Encoding[],
  { target, place }: Pick<Feature, "target" | "place">,
): Feature[] {
  return windows.map((window) => ({ sequences: [window], target, place, weight: 1 / windows.length }));
}

/** The mean of the logits of all windows: what the text's answer is made of. */
export function meanLogits(windows: readonly Float32Array[]): Float32Array {
  return windows[0].map((_, i) => windows.reduce((sum, logits) => sum + logits[i], 0) / windows.length);
}
