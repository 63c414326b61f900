import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Optimizer, OptimizerOptions, OptimizerState, Segment, StepOptions } from "../src/optim/optimizer.ts";
import {
  arbitrarySegments,
  definition,
  equalBytes,
  OPTIONS,
  randomData,
  run,
  STEPS,
  stepThrough,
  type TrustRatio,
  worstError,
} from "./optimizer-runs.ts";

/** What any optimizer must do: compute as defined, and keep the promises of optim/optimizer.ts. */
export function describeOptimizer(
  name: string,
  Optimizer: new (segments: readonly Segment[], options?: OptimizerOptions) => Optimizer,
  trustRatio: TrustRatio,
): void {
  describe(name, () => {
    it("agrees with its definition in float64, for any segments", async () => {
      await fc.assert(
        fc.asyncProperty(arbitrarySegments, fc.nat(), async (segments, seed) => {
          const data = randomData(segments, seed);
          const { parameters, m, v } = await run(new Optimizer(segments, OPTIONS), data);
          const expected = definition(segments, data, trustRatio);
          // Where terms of both signs cancel, an error is relative to the terms, not to what is left.
          expect(worstError(v, expected.v, expected.v)).toBeLessThan(1e-6);
          expect(worstError(m, expected.m, expected.largestGradient)).toBeLessThan(1e-6);
          expect(worstError(parameters, expected.parameters, expected.largestTerm)).toBeLessThan(1e-6);
        }),
        { numRuns: 25 },
      );
    });

    it("continues bit for bit from a restored state, of which it keeps no reference", async () => {
      const segments = [
        { offset: 0, length: 1001, decay: true },
        { offset: 1001, length: 17, decay: false },
      ];
      const data = randomData(segments, 1);
      const expected = await run(new Optimizer(segments, OPTIONS), data);

      const parameters = data.parameters.slice();
      const first = new Optimizer(segments, OPTIONS);
      await stepThrough(first, parameters, data, 0, 4);
      const saved: OptimizerState = { step: first.state.step, m: first.state.m.slice(), v: first.state.v.slice() };
      const second = new Optimizer(segments, OPTIONS);
      second.restore(saved);
      saved.m.fill(NaN);
      saved.v.fill(NaN);
      await stepThrough(second, parameters, data, 4, STEPS);

      expect(second.state.step).toBe(STEPS);
      expect(equalBytes({ parameters, m: second.state.m, v: second.state.v }, expected)).toBe(true);
    });

    it("leaves gradients as they are, and parameters too at a learning rate of 0", async () => {
      const segments = [{ offset: 0, length: 100, decay: true }];
      const { parameters, gradients } = randomData(segments, 2);
      const before = { parameters: parameters.slice(), gradients: gradients[0].slice() };
      const optimizer = new Optimizer(segments);
      await optimizer.step(parameters, gradients[0], { learningRate: 0, gradientScale: 0.5 });
      expect(gradients[0]).toEqual(before.gradients);
      expect(parameters).toEqual(before.parameters);
      expect(optimizer.state.step).toBe(1);
    });

    it("makes steps one after another, though they be asked for at once", async () => {
      const segments = [{ offset: 0, length: 1000, decay: true }];
      const data = randomData(segments, 3);
      const parameters = data.parameters.slice();
      const optimizer = new Optimizer(segments, OPTIONS);
      await Promise.all(Array.from({ length: STEPS }, (_, i) => stepThrough(optimizer, parameters, data, i, i + 1)));
      expect(optimizer.state.step).toBe(STEPS);
      const expected = await run(new Optimizer(segments, OPTIONS), data);
      expect(equalBytes({ parameters, m: optimizer.state.m, v: optimizer.state.v }, expected)).toBe(true);
    });

    it("lets moments that fade end at zero, never among the subnormal numbers", async () => {
      const optimizer = new Optimizer([{ offset: 0, length: 1, decay: true }], { beta1: 0.5, beta2: 0.5 });
      const parameters = Float32Array.of(1);
      await optimizer.step(parameters, Float32Array.of(1), { learningRate: 0.1 });
      for (let step = 1; step < 200; step++) {
        await optimizer.step(parameters, Float32Array.of(0), { learningRate: 0.1 });
        const { m, v } = optimizer.state;
        for (const moment of [m[0], v[0]]) expect(moment === 0 || moment > 2 ** -126).toBe(true);
      }
      expect(optimizer.state.m[0]).toBe(0);
      expect(optimizer.state.v[0]).toBe(0);
    });

    it.each([NaN, Infinity, -Infinity])("does not hide a gradient of %s", async (gradient) => {
      const optimizer = new Optimizer([{ offset: 0, length: 5, decay: true }]);
      const parameters = new Float32Array(5);
      await optimizer.step(parameters, Float32Array.of(0, 0, 0, gradient, 0), { learningRate: 0.1 });
      expect([...parameters]).toEqual([0, 0, 0, NaN, 0]);
    });

    const one = [{ offset: 0, length: 3, decay: true }];
    const three = new Float32Array(3);
    const four = new Float32Array(4);
    it.each<[string, () => unknown]>([
      ["a gap between segments", () => new Optimizer([...one, { offset: 4, length: 1, decay: true }])],
      ["segments that overlap", () => new Optimizer([...one, { offset: 2, length: 2, decay: true }])],
      ["a state with another m", () => new Optimizer(one).restore({ step: 1, m: four, v: three })],
      ["a state with another v", () => new Optimizer(one).restore({ step: 1, m: three, v: four })],
    ])("refuses %s", (_, provoke) => {
      expect(provoke).toThrow(expect.objectContaining({ code: "OPTIMIZER_LENGTH" }));
    });

    it.each<[string, () => unknown]>([
      ["beta1 = 1", () => new Optimizer(one, { beta1: 1 })],
      ["beta2 = -0.1", () => new Optimizer(one, { beta2: -0.1 })],
      ["epsilon = 0", () => new Optimizer(one, { epsilon: 0 })],
      ["weightDecay = NaN", () => new Optimizer(one, { weightDecay: NaN })],
      ["a state with half a step", () => new Optimizer(one).restore({ step: 0.5, m: three, v: three })],
    ])("refuses %s", (_, provoke) => {
      expect(provoke).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    });

    it.each<[string, string, Float32Array, Float32Array, Partial<StepOptions>]>([
      ["a wrong number of parameters", "OPTIMIZER_LENGTH", four, three, {}],
      ["a wrong number of gradients", "OPTIMIZER_LENGTH", three, four, {}],
      ["a negative learning rate", "OPTION_INVALID", three, three, { learningRate: -1 }],
      ["an infinite learning rate", "OPTION_INVALID", three, three, { learningRate: Infinity }],
      ["gradientScale = NaN", "OPTION_INVALID", three, three, { gradientScale: NaN }],
    ])("refuses a step with %s, and does not count it", async (_, code, parameters, gradients, options) => {
      const optimizer = new Optimizer(one);
      const values = parameters.map((_, i) => i + 1);
      const step = optimizer.step(
        values,
        gradients.map(() => 1),
        { learningRate: 0.1, ...options },
      );
      await expect(step).rejects.toMatchObject({ code });
      expect([...values]).toEqual(Array.from(parameters, (_, i) => i + 1));
      expect(optimizer.state).toEqual({ step: 0, m: three, v: three });
    });
  });
}
