import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../base/random.ts";
import { AdamW } from "./adamw.ts";
import { MAX_PARAMETERS } from "./kernels.ts";
import type { Segment } from "./optimizer.ts";

const STEPS = 10;
const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const learningRate = (step: number) => 1e-3 * (1 - step / STEPS);
const gradientScale = (step: number) => 1 / (step + 1);

describe("AdamW", () => {
  it("agrees with its definition in float64, for any segments", () => {
    fc.assert(
      fc.property(arbitrarySegments, fc.nat(), (segments, seed) => {
        const data = randomData(segments, seed);
        const { parameters, m, v } = run(segments, data);
        const expected = reference(segments, data);
        // Where terms of both signs cancel, an error is relative to the terms, not to what is left.
        expect(worst(v, expected.v, expected.v)).toBeLessThan(1e-6);
        expect(worst(m, expected.m, expected.largestGradient)).toBeLessThan(1e-6);
        expect(worst(parameters, expected.parameters, expected.largestParameter)).toBeLessThan(1e-6);
      }),
      { numRuns: 25 },
    );
  });

  it("gives the same bytes however the buffers are divided into segments and calls", () => {
    fc.assert(
      fc.property(arbitrarySegments, fc.nat(), (segments, seed) => {
        const decayed = segments.map((segment) => ({ ...segment, decay: true }));
        const data = randomData(segments, seed);
        const length = data.parameters.length;
        const whole = run([{ offset: 0, length, decay: true }], data);
        expect(equalBytes(run(decayed, data), whole)).toBe(true);
        for (const { offset, length } of segments) {
          const cut = (values: Float32Array) => values.subarray(offset, offset + length);
          const part = { parameters: cut(data.parameters), gradients: data.gradients.map(cut) };
          const expected = { parameters: cut(whole.parameters), m: cut(whole.m), v: cut(whole.v) };
          expect(equalBytes(run([{ offset: 0, length, decay: true }], part), expected)).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("continues bit for bit from a restored state, of which it keeps no reference", () => {
    const segments = [{ offset: 0, length: 1001, decay: true }];
    const data = randomData(segments, 1);
    const expected = run(segments, data);

    const parameters = data.parameters.slice();
    const first = new AdamW(segments, OPTIONS);
    stepThrough(first, parameters, data, 0, 4);
    const saved = { step: first.state.step, m: first.state.m.slice(), v: first.state.v.slice() };
    const second = new AdamW(segments, OPTIONS);
    second.restore(saved);
    saved.m.fill(NaN);
    saved.v.fill(NaN);
    stepThrough(second, parameters, data, 4, STEPS);

    expect(second.state.step).toBe(STEPS);
    expect(equalBytes({ parameters, m: second.state.m, v: second.state.v }, expected)).toBe(true);
  });

  it("leaves gradients as they are, and parameters too at a learning rate of 0", () => {
    const segments = [{ offset: 0, length: 100, decay: true }];
    const { parameters, gradients } = randomData(segments, 2);
    const before = { parameters: parameters.slice(), gradients: gradients[0].slice() };
    const optimizer = new AdamW(segments);
    optimizer.step(parameters, gradients[0], { learningRate: 0, gradientScale: 0.5 });
    expect(gradients[0]).toEqual(before.gradients);
    expect(parameters).toEqual(before.parameters);
    expect(optimizer.state.step).toBe(1);
  });

  it("lets moments that fade end at zero, never among the subnormal numbers", () => {
    const optimizer = new AdamW([{ offset: 0, length: 1, decay: false }], { beta1: 0.5, beta2: 0.5 });
    const parameters = Float32Array.of(1);
    optimizer.step(parameters, Float32Array.of(1), { learningRate: 0.1 });
    for (let step = 1; step < 200; step++) {
      optimizer.step(parameters, Float32Array.of(0), { learningRate: 0.1 });
      const { m, v } = optimizer.state;
      for (const moment of [m[0], v[0]]) expect(moment === 0 || moment > 2 ** -126).toBe(true);
    }
    expect(optimizer.state.m[0]).toBe(0);
    expect(optimizer.state.v[0]).toBe(0);
  });

  it.each([NaN, Infinity, -Infinity])("does not hide a gradient of %s", (gradient) => {
    const optimizer = new AdamW([{ offset: 0, length: 5, decay: true }]);
    const parameters = new Float32Array(5);
    optimizer.step(parameters, Float32Array.of(0, 0, 0, gradient, 0), { learningRate: 0.1 });
    expect([...parameters]).toEqual([0, 0, 0, NaN, 0]);
  });

  const one = [{ offset: 0, length: 3, decay: true }];
  const three = new Float32Array(3);
  const four = new Float32Array(4);
  const rate = { learningRate: 0.1 };
  it.each<[string, () => unknown]>([
    ["a gap between segments", () => new AdamW([...one, { offset: 4, length: 1, decay: true }])],
    ["segments that overlap", () => new AdamW([...one, { offset: 2, length: 2, decay: true }])],
    ["a wrong number of parameters", () => new AdamW(one).step(four, three, rate)],
    ["a wrong number of gradients", () => new AdamW(one).step(three, four, rate)],
    ["a state with another m", () => new AdamW(one).restore({ step: 1, m: four, v: three })],
    ["a state with another v", () => new AdamW(one).restore({ step: 1, m: three, v: four })],
  ])("refuses %s", (_, provoke) => {
    expect(provoke).toThrow(expect.objectContaining({ code: "OPTIMIZER_LENGTH" }));
  });

  it.each<[string, () => unknown]>([
    ["beta1 = 1", () => new AdamW(one, { beta1: 1 })],
    ["beta2 = -0.1", () => new AdamW(one, { beta2: -0.1 })],
    ["epsilon = 0", () => new AdamW(one, { epsilon: 0 })],
    ["weightDecay = NaN", () => new AdamW(one, { weightDecay: NaN })],
    ["more parameters than fit", () => new AdamW([{ offset: 0, length: MAX_PARAMETERS + 1, decay: true }])],
    ["a negative learning rate", () => new AdamW(one).step(three, three, { learningRate: -1 })],
    ["an infinite learning rate", () => new AdamW(one).step(three, three, { learningRate: Infinity })],
    ["gradientScale = NaN", () => new AdamW(one).step(three, three, { ...rate, gradientScale: NaN })],
    ["a state with half a step", () => new AdamW(one).restore({ step: 0.5, m: three, v: three })],
  ])("refuses %s", (_, provoke) => {
    expect(provoke).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

interface Data {
  parameters: Float32Array;
  gradients: Float32Array[];
}

/** Up to five segments of odd lengths, in all from one element to more than two of the kernel's blocks. */
const arbitrarySegments: fc.Arbitrary<Segment[]> = fc
  .array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40_000 })),
      decay: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((sizes) => {
    let end = 0;
    return sizes.map((size) => {
      end += size.length;
      return { ...size, offset: end - size.length };
    });
  });

/** Gradients from 1e-7 to 1, by element; a tenth of them always zero. */
function randomData(segments: readonly Segment[], seed: number): Data {
  const random = Random.of(seed);
  const length = segments.reduce((sum, segment) => sum + segment.length, 0);
  const parameters = Float32Array.from({ length }, () => random.normal());
  const scales = parameters.map(() => (random.uniform() < 0.1 ? 0 : 10 ** (-7 * random.uniform())));
  const gradients = Array.from({ length: STEPS }, () => scales.map((scale) => scale * random.normal()));
  return { parameters, gradients };
}

interface Result {
  parameters: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

function run(segments: readonly Segment[], data: Data): Result {
  const optimizer = new AdamW(segments, OPTIONS);
  const parameters = data.parameters.slice();
  stepThrough(optimizer, parameters, data, 0, STEPS);
  return { parameters, m: optimizer.state.m, v: optimizer.state.v };
}

function stepThrough(optimizer: AdamW, parameters: Float32Array, { gradients }: Data, from: number, to: number): void {
  for (let step = from; step < to; step++) {
    const options = { learningRate: learningRate(step), gradientScale: gradientScale(step) };
    optimizer.step(parameters, gradients[step], options);
  }
}

/** AdamW in float64, written as in the paper (algorithm 2, with its schedule multiplier inside the learning rate). */
function reference(segments: readonly Segment[], data: Data) {
  const { beta1, beta2, epsilon, weightDecay } = OPTIONS;
  const length = data.parameters.length;
  const parameters = Float64Array.from(data.parameters);
  const largestParameter = parameters.map(Math.abs);
  const [m, v, largestGradient] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
  const lambda = segments.flatMap((segment) => Array<number>(segment.length).fill(segment.decay ? weightDecay : 0));
  data.gradients.forEach((gradients, step) => {
    const rate = learningRate(step);
    for (let i = 0; i < length; i++) {
      const gradient = gradients[i] * gradientScale(step);
      m[i] = beta1 * m[i] + (1 - beta1) * gradient;
      v[i] = beta2 * v[i] + (1 - beta2) * gradient ** 2;
      const mHat = m[i] / (1 - beta1 ** (step + 1));
      const vHat = v[i] / (1 - beta2 ** (step + 1));
      parameters[i] -= rate * (mHat / (Math.sqrt(vHat) + epsilon) + lambda[i] * parameters[i]);
      largestGradient[i] = Math.max(largestGradient[i], Math.abs(gradient));
      largestParameter[i] = Math.max(largestParameter[i], Math.abs(parameters[i]));
    }
  });
  return { parameters, m, v, largestParameter, largestGradient };
}

/** The largest error of an element, relative to a magnitude given for each; NaN, which no limit admits, if one is NaN. */
function worst(values: Float32Array, expected: Float64Array, magnitudes: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] - expected[i]);
    if (error !== 0) worst = Math.max(worst, error / magnitudes[i]);
  }
  return worst;
}

function equalBytes(a: Result, b: Result): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  return (["parameters", "m", "v"] as const).every((name) => bytes(a[name]).equals(bytes(b[name])));
}
