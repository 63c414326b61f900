import { LAYOUT } from "./layout.ts";
import { type Call, isPlace, type Kept, type Place, quantityIn, type RunSizes, wholeOf } from "./plan.ts";

type ArenaPlace = Extract<Kept, { kind: "arena" }>;

/** Where each place lies in one stretch of memory, and how long that is, in bytes. */
export interface ArenaLayout {
  readonly offsets: ReadonlyMap<Place, number>;
  readonly bytes: number;
}

/** A place in the arena, which has its memory from the first call that names it to the last. */
export interface Lifetime {
  readonly place: ArenaPlace;
  readonly first: number;
  readonly last: number;
}

/** Of all places in the arena, in the order of their first calls. */
export function lifetimesOf(calls: readonly Call[]): Lifetime[] {
  const lifetimes = new Map<ArenaPlace, Lifetime>();
  calls.forEach((call, i) => {
    for (const place of placesOf(call)) {
      lifetimes.set(place, { place, first: lifetimes.get(place)?.first ?? i, last: i });
    }
  });
  return [...lifetimes.values()];
}

/** Lays out the arena of a run. Each place takes the first gap that is wide enough, among those that live when it begins. */
export function layArena(lifetimes: readonly Lifetime[], run: RunSizes): ArenaLayout {
  const offsets = new Map<Place, number>();
  /** What is in use, by offset. */
  let blocks: { readonly from: number; readonly to: number; readonly last: number }[] = [];
  let bytes = 0;
  for (const { place, first, last } of lifetimes) {
    if (blocks.some((block) => block.last < first)) blocks = blocks.filter((block) => block.last >= first);
    const size = sizeOf(place, run);
    let from = 0;
    let at = 0;
    while (at < blocks.length && blocks[at].from < from + size) from = Math.max(from, blocks[at++].to);
    blocks.splice(at, 0, { from, to: from + size, last });
    offsets.set(place, from);
    bytes = Math.max(bytes, from + size);
  }
  return { offsets, bytes };
}

function placesOf(call: Call): ArenaPlace[] {
  return call.arguments
    .filter(isPlace)
    .map(wholeOf)
    .filter((place): place is ArenaPlace => place.kind === "arena");
}

function sizeOf({ bytes }: ArenaPlace, run: RunSizes): number {
  return Math.max(1, Math.ceil(quantityIn(bytes, run) / LAYOUT.cacheLine)) * LAYOUT.cacheLine;
}
