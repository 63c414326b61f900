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
import { MAX_PARAMETERS, type OpenKernels, type StepKernels, wasmKernels } from "./kernels.ts";

describeOptimizer("AdamW", AdamW, () => 1);

it("gives the same bytes however the buffers are divided into segments and calls", async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySegments, fc.nat(), async (segments, seed) => {
      const decayed = segments.map((segment) => ({ ...segment, decay: true }));
      const data = randomData(segments, seed);
      const whole = await run(new AdamW([{ offset: 0, length: data.parameters.length, decay: true }], OPTIONS), data);
      expect(equalBytes(await run(new AdamW(decayed, OPTIONS), data), whole)).toBe(true);
      for (const segment of decayed) {
        const part = await run(new AdamW([{ ...segment, offset: 0 }], OPTIONS), dataOf(segment, data));
        expect(equalBytes(part, resultOf(segment, whole))).toBe(true);
      }
    }),
    { numRuns: 10 },
  );
});

it("takes each segment at its own rate, and leaves one at 0 as it is", async () => {
  const learningRate = 0.01;
  const step = async (rate: number | undefined, at: number) => {
    const parameters = Float32Array.of(0.5, -2, 3);
    const optimizer = new AdamW([{ offset: 0, length: 3, decay: true, rate }]);
    for (const gradient of [1, -0.3])
      await optimizer.step(parameters, Float32Array.of(gradient, 2, -1), { learningRate: at });
    return parameters;
  };
  expect(await step(0.5, learningRate)).toEqual(await step(undefined, learningRate / 2));
  expect(await step(0, learningRate)).toEqual(Float32Array.of(0.5, -2, 3));
});

it("counts no step whose pass fails, and goes on", async () => {
  let fails = true;
  const kernels: OpenKernels = (length) => {
    const working = wasmKernels(length);
    const failing: StepKernels = Object.create(working);
    failing.adamw = async (buffers, parts) => {
      if (fails) throw new Error("no memory");
      await working.adamw(buffers, parts);
    };
    return failing;
  };
  const optimizer = new AdamW([{ offset: 0, length: 1, decay: true }], { kernels });
  const step = () => optimizer.step(Float32Array.of(1), Float32Array.of(1), { learningRate: 0.1 });
  await expect(step()).rejects.toThrow("no memory");
  expect(optimizer.state.step).toBe(0);
  fails = false;
  await step();
  expect(optimizer.state.step).toBe(1);
});

it("leaves the number of parameters to the kernels: WebAssembly's memory has a limit", () => {
  const segments = [{ offset: 0, length: MAX_PARAMETERS + 1, decay: true }];
  expect(() => new AdamW(segments)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  expect(() => new AdamW(segments, { kernels: () => wasmKernels(1) })).not.toThrow();
});
