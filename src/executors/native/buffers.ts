import type { Value } from "../../graph/executor.ts";
import type { NamedParameters } from "../../graph/parameters.ts";
import type { ArenaLayout } from "./memory.ts";
import { type Constant, type Place, quantityIn, type RunSizes } from "./plan.ts";
import type { Address } from "./program.ts";
import type { Stretch } from "./shared-constants.ts";

type Values = Readonly<Record<string, Value>>;

/** Memory of one run after another, and where its places lie in it. */
export interface Arena {
  readonly layout: ArenaLayout;
  readonly memory: Stretch;
}

export const NO_MEMORY: Stretch = { buffer: new ArrayBuffer(0), offset: 0, bytes: 0 };
export const EMPTY: Arena = { layout: { offsets: new Map(), bytes: 0 }, memory: NO_MEMORY };

/** What the places of a run lie in. */
export interface Memories {
  readonly parameters: NamedParameters;
  readonly constants: ReadonlyMap<Constant, Stretch>;
  readonly arena: Arena;
  readonly input: Values;
  readonly output: Values;
}

/** Buffers of a run, each once, in the order in which addresses first name them. */
export class BufferList {
  readonly all: ArrayBufferLike[] = [];
  readonly #indices = new Map<ArrayBufferLike, number>();

  at(buffer: ArrayBufferLike, offset: number): Address {
    const known = this.#indices.get(buffer);
    if (known !== undefined) return { buffer: known, offset };
    const index = this.all.push(buffer) - 1;
    this.#indices.set(buffer, index);
    return { buffer: index, offset };
  }
}

/** The buffers of a graph's run, and where its places lie in them. */
export class Buffers {
  readonly #list = new BufferList();
  readonly #memories: Memories;

  constructor(memories: Memories) {
    this.#memories = memories;
  }

  get all(): readonly ArrayBufferLike[] {
    return this.#list.all;
  }

  addressOf(place: Place): Address {
    if (place.kind === "part") {
      const { buffer, offset } = this.addressOf(place.of);
      return { buffer, offset: offset + place.from };
    }
    const { arena, constants } = this.#memories;
    if (place.kind === "arena") {
      const { buffer, offset } = arena.memory;
      return this.#list.at(buffer, offset + arena.layout.offsets.get(place)!);
    }
    if (place.kind === "constant") {
      const { buffer, offset } = constants.get(place)!;
      return this.#list.at(buffer, offset);
    }
    const { buffer, byteOffset } = this.#dataOf(place);
    return this.#list.at(buffer, byteOffset);
  }

  bytesOf(place: Place, run: RunSizes): number {
    return "bytes" in place ? quantityIn(place.bytes, run) : this.#dataOf(place).byteLength;
  }

  #dataOf({ kind, name }: Extract<Place, { name: string }>): Value["data"] {
    return kind === "parameter" ? this.#memories.parameters.get(name).data : this.#memories[kind][name].data;
  }
}
