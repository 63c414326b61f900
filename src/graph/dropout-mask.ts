import { Random } from "../base/random.ts";
import type { Graph } from "./graph.ts";
import { type AnyNode, isNode } from "./operations.ts";

/** The nodes of a graph that drop something, numbered in its order: the `site` of each one's mask. */
export function dropoutSites(graph: Graph): Map<AnyNode, number> {
  const sites = new Map<AnyNode, number>();
  for (const node of graph.nodes) {
    if (isNode(node, "dropout") || (isNode(node, "attention") && node.attributes.dropout > 0))
      sites.set(node, sites.size);
  }
  return sites;
}

/**
 * Fills a dropout mask: 0 with probability `rate`, else 1 / (1 - rate) (Srivastava et al. 2014, inverted). The mask is a
 * function of the run's seed, of the place `site` in the graph and of the position alone, so training can be repeated
 * and resumed bit for bit on any executor.
 *
 * Only the dropped positions are drawn: the gap to the next one is geometric, and 16 random bits index its inverse
 * distribution function, which is exact to 2^-16 (the realised rate differs from `rate` by less than 1e-4).
 */
export function fillDropoutMask(mask: Float32Array, rate: number, seed: number, site: number): void {
  mask.fill(1 / (1 - rate));
  const gaps = gapTable(rate);
  const random = Random.of(seed, "dropout", site);
  for (let i = 0; ; ) {
    const bits = random.uint32();
    i += gaps[bits & 0xffff];
    if (i >= mask.length) return;
    mask[i++] = 0;
    i += gaps[bits >>> 16];
    if (i >= mask.length) return;
    mask[i++] = 0;
  }
}

const gapTables = new Map<number, Uint32Array>();

/** Kept positions before the next dropped one, P(gap = k) = rate (1 - rate)^k, by equal steps of probability. */
function gapTable(rate: number): Uint32Array {
  let table = gapTables.get(rate);
  if (table === undefined) {
    table = Uint32Array.from({ length: 0x10000 }, (_, i) =>
      Math.min(Math.floor(Math.log1p(-(i + 0.5) / 0x10000) / Math.log1p(-rate)), 0xffffffff),
    );
    gapTables.set(rate, table);
  }
  return table;
}
