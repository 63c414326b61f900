import { ClozeError } from "../../base/errors.ts";
import type { Need } from "../../base/out-of-memory.ts";
import type { Graph } from "../../graph/graph.ts";
import { type NamedParameters, numbersOf } from "../../graph/parameters.ts";
import { Buffers, EMPTY } from "./buffers.ts";
import { type CompileOptions, compileNative } from "./compile.ts";
import { keepHere, type Machine } from "./machine.node.ts";
import { type Plan, parametersIn, quantityIn, type RunSizes } from "./plan.ts";
import { encode } from "./program.ts";
import { type HeldConstants, SharedConstants } from "./shared-constants.ts";

const shared = new SharedConstants();

const WEIGHTS: Need = {
  what: "the weights, packed for the processor, need",
  cure: "Use a smaller model, or a precision of fewer bits.",
};

/** Constants depend on no run. */
const NO_RUN: RunSizes = { bindings: new Map(), seed: 0 };

/**
 * What follows from frozen parameters, made unless another executable has it. Throws OUT_OF_MEMORY, and SAFETENSORS_TENSOR for
 * packed weights of a file that have not the size they must have.
 */
export async function holdConstants(
  { prepare }: Plan,
  parameters: NamedParameters,
  machine: Machine,
): Promise<HeldConstants> {
  const calls = new Map(prepare.map(({ constant, call }) => [constant, call]));
  const held = await shared.hold(parameters, [...calls.keys()], async (missing) => {
    for (const { parameter } of missing) keepHere(numbersOf(parameters, parameter).buffer);
    const made = missing.map(({ bytes }) => machine.allocate(quantityIn(bytes, NO_RUN), WEIGHTS));
    const constants = new Map(missing.map((constant, i) => [constant, made[i]]));
    const buffers = new Buffers({ parameters, constants, arena: EMPTY, input: {}, output: {} });
    const makers = missing.map((constant) => calls.get(constant)!);
    const program = encode(makers, machine.kernels, (place) => buffers.addressOf(place), NO_RUN);
    await machine.turns.run(() => machine.run(program, buffers.all, { need: WEIGHTS }));
    return made;
  });
  for (const [{ parameter, form, bytes }, stretch] of held.memories) {
    if (stretch.bytes === quantityIn(bytes, NO_RUN)) continue;
    held.release();
    throw new ClozeError("SAFETENSORS_TENSOR", {
      problem: `the packed weight ${parameter} does not fit the model that config.json describes`,
      expected: `${quantityIn(bytes, NO_RUN)} bytes of ${form}`,
      received: String(stretch.bytes),
      cure: "Export the model again.",
    });
  }
  return held;
}

/** Whoever loads these parameters finds weights that were packed before. */
export function adoptPacked(parameters: NamedParameters, packed: readonly PackedWeight[]): void {
  shared.adopt(
    parameters,
    packed.map(({ parameter, form, data: { buffer, byteOffset: offset, byteLength: bytes } }) => ({
      parameter,
      form,
      memory: { buffer, offset, bytes },
    })),
  );
}

/** A weight as kernels read it. */
export interface PackedWeight {
  readonly parameter: string;
  /** The type of its numbers and how they lie. */
  readonly form: string;
  readonly data: Uint8Array;
}

/** What a run of a graph reads of frozen parameters: some packed, some as they are, or both. */
export interface PackedParameters {
  readonly packed: readonly PackedWeight[];
  /** Names. */
  readonly plain: readonly string[];
}

/** Packs parameters for a graph. Throws OUT_OF_MEMORY. */
export async function packParameters(
  graph: Graph,
  parameters: NamedParameters,
  machine: Machine,
  options: Omit<CompileOptions, "frozen">,
): Promise<PackedParameters> {
  const plan = compileNative(graph, { ...options, frozen: true });
  const { memories, release } = await holdConstants(plan, parameters, machine);
  const packed = Array.from(memories, ([{ parameter, form }, { buffer, offset, bytes }]) => {
    return { parameter, form, data: new Uint8Array(buffer, offset, bytes) };
  });
  release();
  return { packed, plain: [...parametersIn(plan)] };
}
