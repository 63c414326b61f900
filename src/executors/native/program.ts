import { ClozeError } from "../../base/errors.ts";
import { type Call, isPlace, type Place, quantityIn, type RunSizes } from "./plan.ts";

/** A place in the buffers of a run. */
export interface Address {
  /** The buffer's index. */
  readonly buffer: number;
  /** In bytes. */
  readonly offset: number;
}

/**
 * Writes calls as the flat list of numbers that native/program.h reads: kernel, number of arguments, arguments, a place as
 * its buffer and its offset there.
 */
export function encode(
  calls: readonly Call[],
  kernels: ReadonlyMap<string, number>,
  addressOf: (place: Place) => Address,
  run: RunSizes,
): Float64Array {
  const numbers: number[] = [];
  for (const call of calls) {
    const kernel = kernels.get(call.kernel);
    if (kernel === undefined) throw new ClozeError("INTERNAL", { problem: `there is no native kernel ${call.kernel}` });
    numbers.push(kernel, 0);
    const first = numbers.length;
    for (const argument of call.arguments) {
      if (argument === null) numbers.push(-1, 0);
      else if (isPlace(argument)) {
        const { buffer, offset } = addressOf(argument);
        numbers.push(buffer, offset);
      } else numbers.push(quantityIn(argument, run));
    }
    numbers[first - 1] = numbers.length - first;
  }
  return Float64Array.from(numbers);
}
