import { DROPOUT_MASK } from "./dropout-mask.wasm.ts";
import type { Graph } from "./graph.ts";
import { type AnyNode, isNode } from "./operations.ts";

/**
 * The nodes of a graph that drop something, numbered in its order: the `site` of each one's mask. What is computed again
 * has the number, and so the mask, that it had.
 */
export function dropoutSites(graph: Graph): Map<AnyNode, number> {
  const sites = new Map<AnyNode, number>();
  let count = 0;
  for (const node of graph.nodes) {
    if (isNode(node, "dropout") || (isNode(node, "attention") && node.attributes.dropout > 0))
      sites.set(node, node.repeats === undefined ? count++ : sites.get(node.repeats)!);
  }
  return sites;
}

/**
 * Fills a dropout mask: 0 with probability `rate`, else 1 / (1 - rate) (Srivastava et al. 2014, inverted). Position i of
 * the mask is a function of the run's seed, of the place `site` in the graph and of i alone, so training can be repeated
 * and resumed bit for bit on any executor, in any order and on any number of threads.
 *
 * The random numbers are those of Philox4x32-10 (Salmon et al. 2011), with the key (seed, site), two unsigned 32-bit
 * integers, and the counter ⌊i / 8⌋: position i has 16 bits, half (i mod 8) of the four words, low halves first. Those
 * below round(65536 rate) drop, so the realised rate is within 2^-17 of `rate`; it is never above 1 - 2^-16.
 */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number, site: number): void {
  kernel ??= loadKernel();
  const threshold = Math.min(Math.round(rate * 0x10000), 0xffff);
  const kept = 1 / (1 - rate);
  for (let from = 0; from < mask.length; from += BLOCK) {
    const length = Math.min(BLOCK, mask.length - from);
    kernel.fill(length, from / POSITIONS, seed, site, threshold, kept);
    mask.set(kernel.factors.subarray(0, length), from);
  }
}

/** Positions that one counter serves. */
const POSITIONS = 8;
/** Factors that the kernel's memory holds: a page of 64 KiB, which fits into a core's second-level cache. */
const BLOCK = 16_384;

interface Kernel {
  /** Where the kernel writes. */
  readonly factors: Float32Array;
  /** Writes `length` factors from counter `first` on. */
  fill(length: number, first: number, seed: number, site: number, threshold: number, kept: number): void;
}

let kernel: Kernel | undefined;

/** WebAssembly with 128-bit vectors. Compiled when first needed: two milliseconds, which browsers allow at once. */
function loadKernel(): Kernel {
  const module = new WebAssembly.Module(Uint8Array.from(atob(DROPOUT_MASK), (character) => character.charCodeAt(0)));
  const exports = new WebAssembly.Instance(module).exports as unknown as KernelExports;
  return { fill: exports.fill, factors: new Float32Array(exports.memory.buffer, 0, BLOCK) };
}

interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly fill: Kernel["fill"];
}
