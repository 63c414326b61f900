import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layArena, lifetimesOf } from "./memory.ts";
import type { Argument, Call, Place, RunSizes } from "./plan.ts";

const RUN: RunSizes = { bindings: new Map([["T", 5]]), seed: 0 };
const LINE = 64;

type Kept = Extract<Place, { kind: "arena" }>;

function arena(bytes: number): Kept {
  return { kind: "arena", bytes };
}

function call(...args: readonly Argument[]): Call {
  return { kernel: "add", arguments: args };
}

/** Calls that name some of a number of places, each of them possibly often or never, and other arguments between them. */
const CALLS = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 30 })
  .map((sizes) => sizes.map((size, i) => (i % 3 === 0 ? sizeInRun(size) : arena(size))))
  .chain((places) =>
    fc
      .array(fc.array(fc.oneof(fc.constantFrom(...places), OTHER_ARGUMENT), { maxLength: 6 }), { maxLength: 40 })
      .map((lists) => ({ places, calls: lists.map((list) => call(...list)) })),
  );

const OTHER_ARGUMENT: fc.Arbitrary<Argument> = fc.constantFrom<Argument>(null, 7, () => 3, {
  kind: "input",
  name: "ids",
});

/** Bytes that are known in the run only. */
function sizeInRun(bytes: number): Kept {
  return { kind: "arena", bytes: ({ bindings }) => bytes * bindings.get("T")! };
}

function bytesOf({ bytes }: Kept): number {
  return typeof bytes === "number" ? bytes : bytes(RUN);
}

/** First and last call that names a place, and where it lies. */
function lives(places: readonly Kept[], calls: readonly Call[], offsets: ReadonlyMap<Place, number>) {
  return places.flatMap((place) => {
    const named = calls.flatMap((one, i) => (one.arguments.includes(place) ? [i] : []));
    if (named.length === 0) return [];
    const from = offsets.get(place)!;
    return [{ first: named[0], last: named.at(-1)!, from, to: from + bytesOf(place) }];
  });
}

type Life = ReturnType<typeof lives>[number];

const sameTime = (a: Life, b: Life) => a.first <= b.last && b.first <= a.last;
const overlap = (a: Life, b: Life) => a.from < b.to && b.from < a.to;

describe("the arena", () => {
  test("has room for every place that is named, at the beginning of a cache line, and for no other", () => {
    fc.assert(
      fc.property(CALLS, ({ places, calls }) => {
        const { offsets, bytes } = layArena(lifetimesOf(calls), RUN);
        const all = lives(places, calls, offsets);
        expect(offsets.size).toBe(all.length);
        for (const { from, to } of all) {
          expect(from % LINE).toBe(0);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThanOrEqual(bytes);
        }
      }),
    );
  });

  test("never gives memory to two places at the same time", () => {
    fc.assert(
      fc.property(CALLS, ({ places, calls }) => {
        const all = lives(places, calls, layArena(lifetimesOf(calls), RUN).offsets);
        const clashes = all.flatMap((a, i) => all.slice(i + 1).filter((b) => sameTime(a, b) && overlap(a, b)));
        expect(clashes).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("is no larger than all places together, and no smaller than those of the fullest moment", () => {
    fc.assert(
      fc.property(CALLS, ({ places, calls }) => {
        const { offsets, bytes } = layArena(lifetimesOf(calls), RUN);
        const all = lives(places, calls, offsets);
        const lines = (some: readonly Life[]) =>
          some.reduce((sum, { from, to }) => sum + Math.max(1, Math.ceil((to - from) / LINE)) * LINE, 0);
        expect(bytes).toBeLessThanOrEqual(lines(all));
        const moments = calls.map((_, i) => lines(all.filter(({ first, last }) => first <= i && i <= last)));
        expect(bytes).toBeGreaterThanOrEqual(Math.max(0, ...moments));
      }),
    );
  });

  test("uses memory again: a chain of any length needs two places", () => {
    const places = Array.from({ length: 50 }, () => arena(640));
    const calls = places.slice(1).map((place, i) => call(places[i], place));
    expect(layArena(lifetimesOf(calls), RUN).bytes).toBe(2 * 640);
  });

  test("keeps a place from its first call to its last, not only in those that name it", () => {
    const [kept, ...others] = [arena(64), arena(64), arena(64)];
    const calls = [call(kept), call(others[0]), call(others[1]), call(kept)];
    const { offsets, bytes } = layArena(lifetimesOf(calls), RUN);
    expect(offsets.get(others[0])).toBe(offsets.get(others[1]));
    expect(offsets.get(kept)).not.toBe(offsets.get(others[0]));
    expect(bytes).toBe(2 * 64);
  });

  test("fills the first gap that is wide enough", () => {
    const [first, gap, last, wide, narrow] = [64, 128, 64, 192, 100].map(arena);
    const calls = [call(first, gap, last), call(first, last), call(first, last, wide, narrow)];
    const { offsets } = layArena(lifetimesOf(calls), RUN);
    expect([first, gap, last, wide, narrow].map((place) => offsets.get(place))).toEqual([0, 64, 192, 256, 64]);
  });

  test("is empty where nothing is kept", () => {
    const calls = [call(1, null, { kind: "constant", parameter: "w", form: "panels", bytes: 8 })];
    expect(layArena(lifetimesOf(calls), RUN)).toEqual({
      offsets: new Map(),
      bytes: 0,
    });
  });
});
