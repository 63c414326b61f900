import { countOf } from "../base/count-of.ts";
import { ClozeError } from "../base/errors.ts";

/** Which text gives way where two are too long together: the longer one, always the first, or always the second. */
export type Truncation = "longest_first" | "only_first" | "only_second";

/**
 * How many tokens each of one or two sequences may keep so that together they fit into `room`.
 *
 * @throws ClozeError TRUNCATION_IMPOSSIBLE where the room is negative, or the sequence that is to give way is absent or too
 * short for that
 */
export function keptLengths(lengths: readonly number[], room: number, truncation: Truncation): number[] {
  const [first, second] = lengths;
  if (room < 0) throw noRoom();
  const excess = first + (second ?? 0) - room;
  if (excess <= 0) return [...lengths];
  if (truncation !== "longest_first") {
    const which = truncation === "only_first" ? 0 : 1;
    if (which >= lengths.length || lengths[which] <= excess) throw tooShort(truncation, lengths[which], excess);
    return lengths.map((length, index) => (index === which ? length - excess : length));
  }
  if (second === undefined) return [room];
  const half = room >> 1;
  if (Math.min(first, second) > half) return first <= second ? [half, room - half] : [room - half, half];
  return first <= second ? [first, room - first] : [room - second, second];
}

/** Start and end of windows of `size` tokens over `length` tokens; each repeats the last `overlap` tokens of the one before. */
export function windowsOver(length: number, size: number, overlap: number): [start: number, end: number][] {
  if (length <= size) return [[0, length]];
  requireAdvance(overlap, size);
  const windows: [number, number][] = [];
  for (let start = 0; ; start += size - overlap) {
    const end = Math.min(start + size, length);
    windows.push([start, end]);
    if (end === length) return windows;
  }
}

/** Throws TRUNCATION_IMPOSSIBLE where windows that hold `room` tokens of a text, and share `stride` of them, would not advance. */
export function requireAdvance(stride: number, room: number): void {
  if (stride < room) return;
  throw new ClozeError("TRUNCATION_IMPOSSIBLE", {
    problem: "windows over a long text would not advance",
    expected:
      room > 0
        ? `a stride below ${room}, as a window surely holds ${countOf(room, "token")} of each text`
        : "windows that hold a token of each text",
    received: room > 0 ? String(stride) : "none",
    cure: room > 0 ? "Leave out the stride or lower it." : "Raise maxLength.",
  });
}

function noRoom(): ClozeError {
  return new ClozeError("TRUNCATION_IMPOSSIBLE", {
    problem: "maxLength is below the number of special tokens",
    expected: "2 or more for a text, 3 or more for a pair",
    cure: "Raise maxLength.",
  });
}

function tooShort(truncation: Truncation, length: number | undefined, excess: number): ClozeError {
  return new ClozeError("TRUNCATION_IMPOSSIBLE", {
    problem: `The truncation ${truncation} cannot make the input short enough`,
    expected: length === undefined ? "a second text" : `a text of more than ${excess} tokens to shorten`,
    received: length === undefined ? "none" : `${length} tokens`,
    cure: 'Use "longest_first" or raise maxLength.',
  });
}
