/** The index of the first number that is none or infinite; -1 where all are finite. */
export function indexOfNotFinite(numbers: Float32Array | Float64Array | Int32Array): number {
  let zero = 0;
  for (let i = 0; i < numbers.length; i++) zero += numbers[i] * 0; // of what is not finite no number; faster than a test of each
  return zero === 0 ? -1 : numbers.findIndex((x) => !Number.isFinite(x));
}
