import { ClozeError } from "../../base/errors.ts";
import { type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";

/** A place in the buffers of a run. */
export interface Address {
  /** The buffer's index. */
  readonly buffer: number;
  /** In bytes. */
  readonly offset: number;
}

/** The calls of a graph's run as a program. Throws INTERNAL for a kernel that there is not. */
export function encode(
  calls: readonly Call[],
  kernels: ReadonlyMap<string, number>,
  addressOf: (place: Place) => Address,
  run: RunSizes,
): Float64Array {
  return encodeCalls(calls, kernels, (argument) => {
    if (argument === null) return null;
    return isPlace(argument) ? addressOf(argument) : quantityIn(argument, run);
  });
}

/**
 * Writes calls as the flat list of numbers that native/program.h reads: kernel, number of arguments, arguments, a place as
 * its buffer and its offset there. `resolve` gives what an argument is: a number, a place, or nothing. Throws INTERNAL for a
 * kernel that there is not.
 */
export function encodeCalls<A>(
  calls: readonly { readonly kernel: string; readonly arguments: readonly A[] }[],
  kernels: ReadonlyMap<string, number>,
  resolve: (argument: A) => number | Address | null,
): Float64Array {
  const numbers: number[] = [];
  for (const call of calls) {
    const kernel = kernels.get(call.kernel);
    if (kernel === undefined) throw new ClozeError("INTERNAL", { problem: `there is no native kernel ${call.kernel}` });
    numbers.push(kernel, 0);
    const first = numbers.length;
    for (const argument of call.arguments) {
      const resolved = resolve(argument);
      if (resolved === null) numbers.push(-1, 0);
      else if (typeof resolved === "number") numbers.push(resolved);
      else numbers.push(resolved.buffer, resolved.offset);
    }
    numbers[first - 1] = numbers.length - first;
  }
  return Float64Array.from(numbers);
}
