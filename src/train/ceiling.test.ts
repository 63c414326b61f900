import { expect, test } from "vitest";
import type { Executor, TimedCall } from "../graph/executor.ts";
import { measureCeiling, measureProducts } from "./ceiling.ts";

const PRODUCTS = [
  { rows: 5, inner: 7, columns: 11, count: 3 },
  { rows: 2, inner: 7, columns: 13, count: 1 },
];

/** Computes nothing; tells of calls if it is given some, and counts what it is asked. */
function fakeExecutor(calls: readonly Partial<TimedCall>[] = []) {
  const asked = { loads: 0, runs: 0, disposals: 0 };
  const whole = calls.map((call) => ({ kernel: "", family: "", seconds: 0, flop: 0, bytes: 0, ...call }));
  const executor: Executor = {
    name: "fake",
    async load() {
      asked.loads++;
      return {
        async run(_, { onCalls } = {}) {
          asked.runs++;
          if (whole.length > 0) onCalls?.(whole);
          return {};
        },
        async dispose() {
          asked.disposals++;
        },
      };
    },
  };
  return { executor, asked };
}

test("where kernels are timed, those of products alone count, in three forms of each", async () => {
  const calls = [
    { family: "packing", seconds: 9 },
    { family: "products", seconds: 0.5 },
    { family: "rows", seconds: 9 },
  ];
  const { executor, asked } = fakeExecutor(calls);
  const [large, small] = [2 * 5 * 7 * 11, 2 * 2 * 7 * 13];
  const times = [large, large, large, small, small, small].map((flop, i) => ({
    flop,
    seconds: 0.5,
    count: i < 3 ? 3 : 1,
  }));
  expect(await measureProducts(executor, PRODUCTS)).toEqual(times);
  expect(asked).toEqual({ loads: 6, runs: 24, disposals: 6 });
  const flopPerSecond = (3 * 3 * large + 3 * small) / (0.5 * (3 * 3 + 3));
  expect(await measureCeiling(executor, PRODUCTS)).toBeCloseTo(flopPerSecond, 9);
});

test("of frozen weights the first form alone is measured", async () => {
  const { executor, asked } = fakeExecutor([{ family: "products", seconds: 0.5 }]);
  expect(await measureProducts(executor, PRODUCTS, { frozen: true })).toHaveLength(2);
  expect(asked.loads).toBe(2);
});

test("elsewhere whole runs count, of graphs with the product alone", async () => {
  const { executor, asked } = fakeExecutor();
  const times = await measureProducts(executor, PRODUCTS);
  expect(times).toHaveLength(6);
  for (const { seconds } of times) expect(seconds).toBeGreaterThan(0);
  expect(asked).toEqual({ loads: 12, runs: 6 + 24, disposals: 12 });
});
