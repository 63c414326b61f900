import { describe, test } from "vitest";
import { type Addon, hasAddon, type InstructionSet, loadAddon } from "../src/executors/native/addon.node.ts";
import { type NativeOptions, nativeExecutor } from "../src/executors/native/executor.node.ts";
import type { Executor, Value } from "../src/graph/executor.ts";
import type { Values } from "./operation-graphs.ts";

export const NOT_BUILT = "the native kernels were not built";

/** Why a processor computes nothing in some precision. */
export const LACKS = {
  bf16: "this processor does not multiply bfloat16 numbers",
  int8: "this processor does not multiply 8-bit integers",
};

/** Those that kernels are compiled for. */
const INSTRUCTION_SETS = ["avx512bf16", "avx512", "avx2", "portable"];

/** Defines tests of the native kernels; where none were built, one that says so. */
export function describeNative(name: string, define: (addon: Addon) => void): void {
  if (hasAddon()) describe(name, () => define(loadAddon()));
  else test(name, ({ skip }) => skip(NOT_BUILT));
}

/** Defines tests for each instruction set that this processor has; for each that it lacks, one that says so. */
export function forEachSet(addon: Addon, define: (set: InstructionSet) => void): void {
  for (const set of addon.instructionSets) define(set);
  const names = addon.instructionSets.map(({ name }) => name);
  const absent = INSTRUCTION_SETS.filter((name) => !names.includes(name));
  for (const name of absent) test(name, ({ skip }) => skip(`this processor does not have ${name}`));
}

/** Defines tests of products in bfloat16; where this processor has none, one that says so. */
export function describeBfloat16(name: string, addon: Addon, define: (set: InstructionSet) => void): void {
  const set = addon.instructionSets.find(({ bfloat16 }) => bfloat16);
  if (set !== undefined) describe(name, () => define(set));
  else test(name, ({ skip }) => skip(LACKS.bf16));
}

/** Defines tests of products in 8-bit integers on each instruction set that has them; where none does, one that says so. */
export function describeInt8(name: string, addon: Addon, define: (set: InstructionSet) => void): void {
  const sets = addon.instructionSets.filter(({ int8 }) => int8);
  for (const set of sets) describe(`${name}, ${set.name}`, () => define(set));
  if (sets.length === 0) test(name, ({ skip }) => skip(LACKS.int8));
}

/** The native executor on one of the processor's instruction sets, whatever CLOZE_ISA says. */
export function nativeOn(set: Pick<InstructionSet, "name">, options: NativeOptions = {}): Executor {
  return onSet(set, () => nativeExecutor(options));
}

/** Opens something while CLOZE_ISA names an instruction set. */
export function onSet<T>(set: Pick<InstructionSet, "name">, open: () => T): T {
  const restore = nameSet(set);
  try {
    return open();
  } finally {
    restore();
  }
}

/** Does something that takes its time while CLOZE_ISA names an instruction set. */
export function onSetUntil<T>(set: Pick<InstructionSet, "name">, work: () => Promise<T>): Promise<T> {
  const restore = nameSet(set);
  return work().finally(restore);
}

/** Does something that is to get along without the native kernels: whoever opens them is refused. */
export function withoutKernels<T>(work: () => Promise<T>): Promise<T> {
  return onSetUntil({ name: "none" }, work);
}

/** Returns what makes CLOZE_ISA again what it was. */
function nameSet({ name }: Pick<InstructionSet, "name">): () => void {
  const before = process.env.CLOZE_ISA;
  process.env.CLOZE_ISA = name;
  return () => {
    if (before === undefined) delete process.env.CLOZE_ISA;
    else process.env.CLOZE_ISA = before;
  };
}

type DefineWay = (open: (options?: NativeOptions) => Executor) => void;

/** Defines tests for every way to compute with floats that this processor has: each instruction set, and bfloat16. */
export function describeFloats(addon: Addon, define: DefineWay): void {
  forEachSet(addon, (set) => describe(set.name, () => define((options) => nativeOn(set, options))));
  describeBfloat16("bf16", addon, (set) => define((options) => nativeOn(set, { ...options, precision: "bf16" })));
}

/** The same, and int8. */
export function describeWays(addon: Addon, define: DefineWay): void {
  describeFloats(addon, define);
  describeInt8("int8", addon, (set) => define((options) => nativeOn(set, { ...options, precision: "int8" })));
}

/** Names of the outputs of two runs that are not the same to the bit. */
export function differences(a: Values, b: Values): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => !(name in a && name in b && bytesOf(a[name]).equals(bytesOf(b[name]))));
}

function bytesOf({ data }: Value): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
