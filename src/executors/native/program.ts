import { ClozeError } from "../../base/errors.ts";
import { type Argument, type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";

/** A place in the buffers of a run. */
export interface Address {
  /** The buffer's index. */
  readonly buffer: number;
  /** In bytes. */
  readonly offset: number;
}

/** A call of which all is known: numbers, and where its places lie. */
export interface PlacedCall {
  readonly kernel: string;
  readonly arguments: readonly (number | Address | null)[];
}

/** The calls of one run, as {@link encodePlaced} writes them. */
export function encode(
  calls: readonly Call[],
  kernels: ReadonlyMap<string, number>,
  addressOf: (place: Place) => Address,
  run: RunSizes,
): Float64Array {
  const place = (argument: Argument) => {
    if (argument === null) return null;
    return isPlace(argument) ? addressOf(argument) : quantityIn(argument, run);
  };
  const placed = calls.map((call) => ({ kernel: call.kernel, arguments: call.arguments.map(place) }));
  return encodePlaced(placed, kernels);
}

/**
 * Writes calls as the flat list of numbers that native/program.h reads: kernel, number of arguments, arguments, a place as
 * its buffer and its offset there.
 */
export function encodePlaced(calls: readonly PlacedCall[], kernels: ReadonlyMap<string, number>): Float64Array {
  const numbers: number[] = [];
  for (const call of calls) {
    const kernel = kernels.get(call.kernel);
    if (kernel === undefined) throw new ClozeError("INTERNAL", { problem: `there is no native kernel ${call.kernel}` });
    numbers.push(kernel, 0);
    const first = numbers.length;
    for (const argument of call.arguments) {
      if (argument === null) numbers.push(-1, 0);
      else if (typeof argument === "number") numbers.push(argument);
      else numbers.push(argument.buffer, argument.offset);
    }
    numbers[first - 1] = numbers.length - first;
  }
  return Float64Array.from(numbers);
}
