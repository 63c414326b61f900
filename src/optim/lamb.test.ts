import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOptimizer } from "../../test/optimizer-contract.ts";
import {
  arbitrarySegments,
  dataOf,
  equalBytes,
  OPTIONS,
  randomData,
  resultOf,
  run,
} from "../../test/optimizer-runs.ts";
import { AdamW } from "./adamw.ts";
import { Lamb } from "./lamb.ts";

describeOptimizer("Lamb", Lamb, (segment, parameters, update) => {
  const norms = [norm(parameters), norm(update)] as const;
  return segment.decay && !norms.includes(0) ? norms[0] / norms[1] : 1;
});

it("gives a segment the same bytes whatever lies before and behind it", async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySegments, fc.nat(), async (segments, seed) => {
      const data = randomData(segments, seed);
      const whole = await run(new Lamb(segments, OPTIONS), data);
      for (const segment of segments) {
        const alone = await run(new Lamb([{ ...segment, offset: 0 }], OPTIONS), dataOf(segment, data));
        expect(equalBytes(alone, resultOf(segment, whole))).toBe(true);
      }
    }),
    { numRuns: 10 },
  );
});

it.each([
  1, 2, 3, 5, 16_383, 16_384, 16_385, 16_386, 16_389, 32_771,
])("moves %i elements by the learning rate times their norm", async (length) => {
  // A segment before, whose moments end where this one's begin, and one behind, which the last vector reaches into.
  const segments = [
    { offset: 0, length: 3, decay: true },
    { offset: 3, length, decay: true },
    { offset: 3 + length, length: 5, decay: true },
  ];
  const { parameters, gradients } = randomData(segments, length);
  gradients[0].fill(1e6, 3 + length); // so that a wrong element in a sum is seen
  const optimizer = new Lamb(segments, { weightDecay: 0 });
  for (const step of [0, 1]) {
    const before = parameters.slice();
    await optimizer.step(parameters, gradients[step], { learningRate: 0.25 });
    const change = Float64Array.from(parameters, (value, i) => value - before[i]);
    for (const { offset, length } of segments) {
      const moved = norm(change.subarray(offset, offset + length));
      expect(moved / norm(before.subarray(offset, offset + length))).toBeCloseTo(0.25, 6);
    }
  }
});

it("makes the same step of larger gradients, and a larger one of larger parameters", async () => {
  const segments = [{ offset: 0, length: 101, decay: true }];
  const { parameters, gradients } = randomData(segments, 3);
  const gradient = gradients[0].map((value) => Math.sign(value) + value); // next to which epsilon is nothing
  const stepOf = async (initial: Float32Array, gradientScale: number) => {
    const result = initial.slice();
    const optimizer = new Lamb(segments, { weightDecay: 0, epsilon: 1e-12 });
    await optimizer.step(result, gradient, { learningRate: 0.1, gradientScale });
    return result;
  };
  const double = (values: Float32Array) => values.map((value) => 2 * value);
  const expected = await stepOf(parameters, 1);
  // Factors of two leave the digits of a number as they are.
  expect(await stepOf(parameters, 1024)).toEqual(expected);
  expect(await stepOf(double(parameters), 1)).toEqual(double(expected));
});

it("is AdamW on segments without decay, and where all parameters are zero", async () => {
  const segments = [
    { offset: 0, length: 21, decay: false },
    { offset: 21, length: 13, decay: true },
  ];
  const { parameters, gradients } = randomData(segments, 4);
  parameters.fill(0, 21);
  const expected = parameters.slice();
  await new Lamb(segments, OPTIONS).step(parameters, gradients[0], { learningRate: 0.1 });
  await new AdamW(segments, OPTIONS).step(expected, gradients[0], { learningRate: 0.1 });
  expect(parameters).toEqual(expected);
});

it("leaves parameters whose update is zero", async () => {
  const optimizer = new Lamb([{ offset: 0, length: 5, decay: true }], { weightDecay: 0 });
  const parameters = Float32Array.of(1, -2, 3, 0, 5);
  await optimizer.step(parameters, new Float32Array(5), { learningRate: 0.1 });
  expect([...parameters]).toEqual([1, -2, 3, 0, 5]);
});

it("spoils a whole segment with a gradient that is not finite, and no other one", async () => {
  const segments = [
    { offset: 0, length: 3, decay: true },
    { offset: 3, length: 2, decay: true },
  ];
  const parameters = Float32Array.of(1, 2, 3, 4, 5);
  await new Lamb(segments).step(parameters, Float32Array.of(0, NaN, 0, 0, 0), { learningRate: 0 });
  expect([...parameters]).toEqual([NaN, NaN, NaN, 4, 5]);
});

it("has an epsilon of 1e-6 by default", async () => {
  const segments = [{ offset: 0, length: 100, decay: true }];
  const data = randomData(segments, 5);
  const { epsilon: _, ...others } = OPTIONS;
  const expected = await run(new Lamb(segments, { ...others, epsilon: 1e-6 }), data);
  expect(equalBytes(await run(new Lamb(segments, others), data), expected)).toBe(true);
  expect(equalBytes(await run(new Lamb(segments, { ...others, epsilon: undefined }), data), expected)).toBe(true);
});

function norm(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value ** 2;
  return Math.sqrt(sum);
}
