import { z } from "zod";
import { ClozeError } from "../../base/errors.ts";
import type { Encoding } from "../../tokenizer/encoding.ts";
import type { TextInput } from "../run/text-or-pair.ts";
import type { Feature, TaskContext } from "./task.ts";

/** Settings of tasks that judge a text as a whole. */
export const longTexts = {
  long: z
    .enum(["truncate", "windows"])
    .default("truncate")
    .describe("a text longer than the model takes: cut it, or read it in windows and take the mean of what they say"),
  stride: z.int().min(0).default(32).describe("tokens that windows over a long text have in common"),
};

type LongTexts = z.infer<z.ZodObject<typeof longTexts>>;

/** The sequences of a text or a pair: one, or the windows over it. Throws TRUNCATION_IMPOSSIBLE. */
export function encodeText(
  { text, pair }: TextInput,
  { tokenizer, maxLength, settings: { long, stride } }: TaskContext<LongTexts>,
): Encoding[] {
  if (long === "truncate") return [tokenizer.encode(text, { pair, maxLength })];
  requireRoom(stride, pair === undefined ? maxLength - 2 : (maxLength - 3) >> 1);
  return tokenizer.encodeWindows(text, { pair, maxLength, stride });
}

/** Says of short texts too that long ones would not fit, so that training stops before it begins and no prediction does. */
function requireRoom(stride: number, room: number): void {
  if (stride < room) return;
  throw new ClozeError("TRUNCATION_IMPOSSIBLE", {
    problem: "windows over a long text would not advance",
    expected: `a stride below the ${Math.max(0, room)} tokens that a window surely holds of each text`,
    received: String(stride),
    cure: "Lower --stride or raise --max-length.",
  });
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
