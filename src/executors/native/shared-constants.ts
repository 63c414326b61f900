import type { NamedParameters } from "../../graph/parameters.ts";
import type { Constant } from "./plan.ts";

/** Where a constant lies. */
export interface Stretch {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly bytes: number;
}

/** Constants that somebody uses. */
export interface HeldConstants {
  readonly memories: ReadonlyMap<Constant, Stretch>;
  /** To be called once. */
  release(): void;
}

export const NO_CONSTANTS: HeldConstants = { memories: new Map(), release() {} };

interface Entry {
  readonly memory: Promise<Stretch>;
  holders: number;
}

/**
 * What was made of frozen parameters, for all executables that are loaded from the same ones: the first that needs it makes
 * it, and it goes with the last. Parameters may change again when nobody holds anything of them.
 */
export class SharedConstants {
  readonly #entries = new WeakMap<NamedParameters, Map<string, Entry>>();

  /** `make` fills the memory of those that are not there. Throws what it throws. */
  async hold(
    parameters: NamedParameters,
    constants: readonly Constant[],
    make: (missing: readonly Constant[]) => Promise<readonly Stretch[]>,
  ): Promise<HeldConstants> {
    const entries = this.#entriesOf(parameters);
    const missing = constants.filter((constant) => !entries.has(keyOf(constant)));
    if (missing.length > 0) {
      const made = make(missing);
      missing.forEach((constant, i) => {
        entries.set(keyOf(constant), { memory: made.then((memories) => memories[i]), holders: 0 });
      });
    }
    const held = constants.map((constant) => entries.get(keyOf(constant))!);
    for (const entry of held) entry.holders++;
    const release = () => {
      held.forEach((entry, i) => {
        if (--entry.holders === 0) entries.delete(keyOf(constants[i]));
      });
    };
    try {
      const memories = await Promise.all(held.map(({ memory }) => memory));
      return { memories: new Map(constants.map((constant, i) => [constant, memories[i]])), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Takes constants that were made elsewhere; they stay as long as the parameters. */
  adopt(
    parameters: NamedParameters,
    constants: readonly (Pick<Constant, "parameter" | "form"> & { readonly memory: Stretch })[],
  ): void {
    const entries = this.#entriesOf(parameters);
    for (const constant of constants) {
      entries.set(keyOf(constant), { memory: Promise.resolve(constant.memory), holders: 1 });
    }
  }

  #entriesOf(parameters: NamedParameters): Map<string, Entry> {
    const entries = this.#entries.get(parameters) ?? new Map<string, Entry>();
    this.#entries.set(parameters, entries);
    return entries;
  }
}

function keyOf({ parameter, form }: Pick<Constant, "parameter" | "form">): string {
  return `${form} ${parameter}`;
}
