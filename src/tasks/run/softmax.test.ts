import fc from "fast-check";
import { expect, test } from "vitest";
import { logSumExp, softmax } from "./softmax.ts";

const logits = fc.array(fc.float({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 20 });

test("softmax gives probabilities that keep the order of the logits", () => {
  fc.assert(
    fc.property(logits, (values) => {
      const probabilities = softmax(values);
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(probabilities[values.indexOf(Math.max(...values))]).toBe(Math.max(...probabilities));
    }),
  );
  expect(softmax([Math.log(1), Math.log(3)])).toEqual(Float32Array.of(0.25, 0.75));
});

test("a logit less logSumExp is the logarithm of its probability", () => {
  fc.assert(
    fc.property(logits, (values) => {
      const total = logSumExp(values);
      softmax(values).forEach((probability, i) => {
        expect(Math.exp(values[i] - total)).toBeCloseTo(probability, 6);
      });
    }),
  );
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.log(2), 9);
});
