import { types } from "node:util";
import { markAsUntransferable } from "node:worker_threads";
import { ClozeError } from "../../base/errors.ts";
import { type Need, outOfMemory, RUN } from "../../base/out-of-memory.ts";
import { Serial } from "../../base/serial.ts";
import { requireThreads } from "../../base/threads.ts";
import { type Addon, type BegunRun, type InstructionSet, loadAddon, type Pool } from "./addon.node.ts";
import { LAYOUT } from "./layout.ts";
import type { Stretch } from "./shared-constants.ts";

interface ProgramOptions {
  /** Where the seconds of each call go. */
  readonly seconds?: Float64Array;
  readonly signal?: AbortSignal;
  /** What the program is for; default: a run of a model. */
  readonly need?: Need;
}

/** The instruction set and the threads that programs run on. */
export class Machine {
  readonly instructionSet: InstructionSet;
  /** Numbers of the kernels in programs. */
  readonly kernels: ReadonlyMap<string, number>;
  readonly #addon: Addon;
  /** Index of the instruction set. */
  readonly #set: number;
  readonly #pool: Pool;
  /** What uses the pool, one after another: a run that waited in the pool would keep a thread of libuv from reading files. */
  readonly turns = new Serial();

  constructor(addon: Addon, set: number, pool: Pool) {
    this.instructionSet = addon.instructionSets[set];
    this.kernels = new Map(addon.kernels.map((name, i) => [name, i]));
    this.#addon = addon;
    this.#set = set;
    this.#pool = pool;
  }

  /**
   * Runs a program off the event loop. Rejects with the signal's reason where that fires before the end: within one call of
   * a kernel. Throws OUT_OF_MEMORY, and INPUT_SHAPE for buffers that were transferred to another thread or are shared with
   * one.
   */
  async run(
    program: Float64Array,
    buffers: readonly ArrayBufferLike[],
    { seconds, signal, need = RUN }: ProgramOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const { ended, cancel } = this.#begin(program, buffers, need, seconds);
    signal?.addEventListener("abort", cancel);
    process.once("exit", cancel); // which waits for threads of libuv
    try {
      await ended;
    } catch (cause) {
      throw kernelError(cause, need);
    } finally {
      signal?.removeEventListener("abort", cancel);
      process.off("exit", cancel);
    }
    signal?.throwIfAborted();
  }

  #begin(program: Float64Array, buffers: readonly ArrayBufferLike[], need: Need, seconds?: Float64Array): BegunRun {
    try {
      return this.#addon.run(this.#set, this.#pool, program, buffers, seconds);
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw kernelError(cause, need);
      throw noMemoryToStay(cause.message, cause);
    }
  }

  /**
   * Zeros in memory that begins on a cache line. The system gives it as it is touched. Made by JavaScript, as Node 20 has no
   * other memory of more than 4 GiB for it. Throws OUT_OF_MEMORY.
   */
  allocate(bytes: number, need = RUN): Stretch {
    try {
      const buffer = new ArrayBuffer(bytes + LAYOUT.cacheLine);
      return { buffer, offset: this.#addon.firstCacheLine(buffer), bytes };
    } catch (cause) {
      throw outOfMemory(cause, { need, bytes });
    }
  }
}

/** As Node has them from version 20 on, and this version of the language not yet. */
type Resizable = ArrayBufferLike & { readonly resizable?: boolean };

/** Whether the memory of a buffer is one thread's, and of one length: that of others is to be copied before a run. */
export function canStay(buffer: Resizable): boolean {
  return !types.isSharedArrayBuffer(buffer) && buffer.resizable !== true;
}

/**
 * What kernels read and write where it lies must not be given to another thread, which could free it in the middle of a
 * run: messages copy it from now on, or refuse to take it along. Throws INPUT_SHAPE for what may end sooner all the same.
 */
export function keepHere(buffer: ArrayBufferLike): void {
  if (!canStay(buffer)) {
    throw noMemoryToStay(types.isSharedArrayBuffer(buffer) ? "a SharedArrayBuffer" : "a buffer that can be resized");
  }
  markAsUntransferable(buffer);
}

function noMemoryToStay(received: string, cause?: unknown): ClozeError {
  return new ClozeError("INPUT_SHAPE", {
    problem: "a run cannot read or write one of its buffers",
    expected: "memory of this thread alone, of one length",
    received,
    cure: "Give it no SharedArrayBuffer, none that can be resized, and nothing that was transferred to another thread.",
    cause,
  });
}

/** What a run failed with. Kernels ask for memory of their own; what else they refuse, no plan should have. */
function kernelError(cause: unknown, need: Need): ClozeError {
  const received = cause instanceof Error ? cause.message : String(cause);
  if (received === "std::bad_alloc") return outOfMemory(cause, { need });
  return new ClozeError("INTERNAL", { problem: "the native kernels refused a program", received, cause });
}

const machines = new Map<string, Machine>();

/**
 * The machine with so many threads, which all who ask for it share: the best instruction set of the processor, or the one
 * that CLOZE_ISA names. Throws DEVICE_UNAVAILABLE where the kernels were not built, OPTION_INVALID and OUT_OF_MEMORY.
 */
export function openMachine(threads: number): Machine {
  requireThreads(threads);
  const addon = loadAddon();
  const set = chooseSet(addon);
  const key = `${set} ${threads}`;
  const machine = machines.get(key) ?? new Machine(addon, set, startThreads(addon, threads));
  machines.set(key, machine);
  return machine;
}

function startThreads(addon: Addon, threads: number): Pool {
  try {
    return new addon.Pool(threads);
  } catch (cause) {
    throw new ClozeError("OUT_OF_MEMORY", {
      problem: "the system does not start so many threads",
      received: String(threads),
      cure: "Use fewer threads.",
      cause,
    });
  }
}

/** Index of the best instruction set, or of the one that CLOZE_ISA names. Throws OPTION_INVALID. */
export function chooseSet({ instructionSets }: Pick<Addon, "instructionSets">): number {
  const wanted = process.env.CLOZE_ISA;
  if (wanted === undefined) return 0;
  const set = instructionSets.findIndex(({ name }) => name === wanted);
  if (set >= 0) return set;
  throw new ClozeError("OPTION_INVALID", {
    problem: "CLOZE_ISA names an instruction set that this processor lacks",
    expected: instructionSets.map(({ name }) => name).join(", "),
    received: wanted,
  });
}
