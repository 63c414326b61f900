import { constants } from "node:buffer";
import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { ClozeError } from "../../base/errors.ts";
import type { LAYOUT } from "./layout.ts";

/** Kernels for one kind of processor. */
export interface InstructionSet {
  readonly name: string;
  /** Whether products can be computed in bfloat16. */
  readonly bfloat16: boolean;
  /** Whether products with frozen weights can be computed in 8-bit integers. */
  readonly int8: boolean;
  /** Columns of a panel that right sides of products are packed into. */
  readonly panelColumns: number;
}

/** Threads that several executables share; nothing is asked of them but to run programs. */
export type Pool = object;

/** A program at work. */
export interface BegunRun {
  readonly ended: Promise<void>;
  /** Ends it before its next call of a kernel. */
  readonly cancel: () => void;
}

/** What native/addon.cc exports. */
export interface Addon {
  /** Those that this processor has, the best one first. */
  readonly instructionSets: readonly InstructionSet[];
  /** Those of the best instruction set, in the order of their numbers in programs; others may lack the last of them. */
  readonly kernels: readonly string[];
  /** As the kernels were compiled. */
  readonly layout: typeof LAYOUT;
  readonly Pool: new (threads: number) => Pool;
  /** How many bytes of a buffer lie before the first cache line that begins in it. */
  firstCacheLine(buffer: ArrayBuffer): number;
  /** The bytes of a file, which the system reads as they are touched; throws what the system says. */
  mapFile(path: string): ArrayBuffer;
  /**
   * Runs a program off the event loop, on a thread of libuv and those of the pool. `set` is an index into
   * `instructionSets`; the seconds of each call are written into `seconds`. Throws a TypeError for a buffer that was
   * transferred or is shared by threads; `ended` rejects with what a kernel threw.
   */
  run(
    set: number,
    pool: Pool,
    program: Float64Array,
    buffers: readonly ArrayBufferLike[],
    seconds?: Float64Array,
  ): BegunRun;
}

const require = createRequire(import.meta.url);
const resolver: { resolve(folder: string): string } = require("node-gyp-build");

/** The folder of the package, with build/ and prebuilds/. */
const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));
const AGAIN = PACKAGE.split(sep).includes("node_modules") ? "npm rebuild cloze" : "npm run install";
const CURE =
  process.platform === "win32"
    ? 'They are not for Windows; the device "onnx" does without.'
    : `Install GCC 11 or clang 14, or later ones, make and Python 3, then run \`${AGAIN}\`; the device "onnx" does without.`;

/** The compiled kernels of a package. Throws DEVICE_UNAVAILABLE where none were built, or none that load here. */
export function loadAddon(folder = PACKAGE): Addon {
  const path = findAddon(folder);
  try {
    requireNodeApi(path);
    return require(path);
  } catch (cause) {
    throw new ClozeError("DEVICE_UNAVAILABLE", {
      problem: "the native kernels do not load",
      expected: "a binary for this machine, its C library and this version of Node",
      received: firstLine(cause),
      cure: CURE,
      cause,
    });
  }
}

/**
 * The bytes of a file in memory that the system fills as it is touched; what is written there stays in this process. Throws
 * DEVICE_UNAVAILABLE where there are no native kernels, OUT_OF_MEMORY for a file that is too long for this version of Node,
 * and what the system says.
 */
export function mapFile(path: string): ArrayBuffer {
  const addon = loadAddon();
  const { size } = statSync(path);
  if (size <= constants.MAX_LENGTH) return addon.mapFile(path);
  throw new ClozeError("OUT_OF_MEMORY", {
    problem: `${path} is too long for Node ${process.versions.node} to map into memory`,
    expected: `at most ${constants.MAX_LENGTH} bytes`,
    received: String(size),
    cure: "Use Node 22 or later.",
  });
}

/** Throws for a prebuilt binary whose name tells of a later Node-API than Node's, as to load it would end Node 20. */
function requireNodeApi(path: string): void {
  const [, version] = /\.api(\d+)\./.exec(basename(path)) ?? [];
  const { node, napi } = process.versions;
  if (version === undefined || Number(version) <= Number(napi)) return;
  throw new Error(`${path} for Node-API ${version}, where Node ${node} has ${napi}`);
}

/** Whether there are compiled kernels, though they may not load. */
export function hasAddon(folder = PACKAGE): boolean {
  try {
    findAddon(folder);
    return true;
  } catch {
    return false;
  }
}

/** Whether compiled kernels came along for this platform and processor, though they may be for another C library. */
export function hasPrebuilt(folder = PACKAGE): boolean {
  try {
    const names = readdirSync(join(folder, "prebuilds", `${process.platform}-${process.arch}`));
    return names.some((name) => name.endsWith(".node"));
  } catch {
    return false;
  }
}

function findAddon(folder: string): string {
  try {
    return resolver.resolve(folder);
  } catch (cause) {
    throw new ClozeError("DEVICE_UNAVAILABLE", {
      problem: "there are no native kernels",
      expected: "some that were built when Cloze was installed, or came with it",
      received: firstLine(cause).replace("No native build was found", "none"),
      cure: CURE,
      cause,
    });
  }
}

/** Of what the loader says: the file and what is wrong with it. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
