import fc from "fast-check";
import { expect, test } from "vitest";
import { requireTopK, topIndices } from "./top-k.ts";

test("topIndices gives what sorting gives, of those that are let in", () => {
  const scores = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 40 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 4 }), (values, count, step) => {
      const accept = (index: number) => index % step === 0;
      const sorted = [...values.keys()].filter(accept).sort((a, b) => values[b] - values[a]); // a stable sort
      expect(topIndices(values, count, accept)).toEqual(sorted.slice(0, count));
    }),
  );
});

test("topIndices asks only about those that would get in", () => {
  const asked: number[] = [];
  topIndices([3, 1, 2, 5, 0, 5], 2, (index) => asked.push(index) > 0);
  expect(asked).toEqual([0, 1, 2, 3, 5]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("requireTopK refuses %d", (top_k) => {
  expect(() => requireTopK(top_k)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});
