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

describeOptimizer("AdamW", AdamW, () => 1);

it("gives the same bytes however the buffers are divided into segments and calls", () => {
  fc.assert(
    fc.property(arbitrarySegments, fc.nat(), (segments, seed) => {
      const decayed = segments.map((segment) => ({ ...segment, decay: true }));
      const data = randomData(segments, seed);
      const whole = run(new AdamW([{ offset: 0, length: data.parameters.length, decay: true }], OPTIONS), data);
      expect(equalBytes(run(new AdamW(decayed, OPTIONS), data), whole)).toBe(true);
      for (const segment of decayed) {
        const part = run(new AdamW([{ ...segment, offset: 0 }], OPTIONS), dataOf(segment, data));
        expect(equalBytes(part, resultOf(segment, whole))).toBe(true);
      }
    }),
    { numRuns: 10 },
  );
});

it("takes each segment at its own rate, and leaves one at 0 as it is", () => {
  const learningRate = 0.01;
  const step = (rate: number | undefined, at: number) => {
    const parameters = Float32Array.of(0.5, -2, 3);
    const optimizer = new AdamW([{ offset: 0, length: 3, decay: true, rate }]);
    for (const gradient of [1, -0.3])
      optimizer.step(parameters, Float32Array.of(gradient, 2, -1), { learningRate: at });
    return parameters;
  };
  expect(step(0.5, learningRate)).toEqual(step(undefined, learningRate / 2));
  expect(step(0, learningRate)).toEqual(Float32Array.of(0.5, -2, 3));
});
