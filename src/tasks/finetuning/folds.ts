import { Random } from "../../base/random.ts";

/**
 * Which of `count` folds each example is in, for cross-validation: drawn by chance, always alike, and as equal in size as
 * whole groups let them be. Examples of one group are in one fold, since a model that has learnt from some of them would
 * know too much of the others.
 */
export function foldsOf(examples: readonly { readonly group?: string }[], count: number): Int32Array {
  const groups = groupsOf(examples);
  const sizes = new Array<number>(count).fill(0);
  const folds = new Int32Array(examples.length);
  for (const index of Random.of("folds").shuffle(Int32Array.from(groups.keys()))) {
    const smallest = sizes.indexOf(Math.min(...sizes));
    for (const example of groups[index]) folds[example] = smallest;
    sizes[smallest] += groups[index].length;
  }
  return folds;
}

/** How many folds there can be at most. */
export function countGroups(examples: readonly { readonly group?: string }[]): number {
  return groupsOf(examples).length;
}

/** The indices of the examples of each group, in the order of its first. */
function groupsOf(examples: readonly { readonly group?: string }[]): number[][] {
  const groups: number[][] = [];
  const named = new Map<string, number[]>();
  examples.forEach(({ group }, i) => {
    const known = group === undefined ? undefined : named.get(group);
    if (known !== undefined) {
      known.push(i);
      return;
    }
    const own = [i];
    groups.push(own);
    if (group !== undefined) named.set(group, own);
  });
  return groups;
}
