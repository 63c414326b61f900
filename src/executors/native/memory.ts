import { type Call, isPlace, type Kept, type Place, quantityIn, type RunSizes, wholeOf } from "./plan.ts";

/** Kernels read and write whole cache lines. */
const ALIGNMENT = 64;

type Arena = Extract<Kept, { kind: "arena" }>;

/** Where each place lies in one stretch of memory, and how long that is, in bytes. */
export interface Layout {
  readonly offsets: ReadonlyMap<Place, number>;
  readonly bytes: number;
}

/**
 * Lays out the arena of a run: a place has its memory from the first call that names it to the last, and shares it with
 * places whose calls are others. Each takes the first gap that is wide enough.
 */
export function layArena(calls: readonly Call[], run: RunSizes): Layout {
  const lastCalls = new Map<Place, number>();
  calls.forEach((call, i) => {
    for (const place of placesOf(call)) lastCalls.set(place, i);
  });
  const offsets = new Map<Place, number>();
  /** What is in use, by offset. */
  let blocks: { readonly from: number; readonly to: number; readonly lastCall: number }[] = [];
  let bytes = 0;
  calls.forEach((call, i) => {
    if (blocks.some(({ lastCall }) => lastCall < i)) blocks = blocks.filter(({ lastCall }) => lastCall >= i);
    for (const place of placesOf(call)) {
      if (offsets.has(place)) continue;
      const size = sizeOf(place, run);
      let from = 0;
      let at = 0;
      while (at < blocks.length && blocks[at].from < from + size) from = Math.max(from, blocks[at++].to);
      blocks.splice(at, 0, { from, to: from + size, lastCall: lastCalls.get(place)! });
      offsets.set(place, from);
      bytes = Math.max(bytes, from + size);
    }
  });
  return { offsets, bytes };
}

function placesOf(call: Call): Arena[] {
  return call.arguments
    .filter(isPlace)
    .map(wholeOf)
    .filter((place): place is Arena => place.kind === "arena");
}

function sizeOf({ bytes }: Arena, run: RunSizes): number {
  return Math.max(1, Math.ceil(quantityIn(bytes, run) / ALIGNMENT)) * ALIGNMENT;
}
