/** Ten steps of an optimizer on random data, and what they should come to. */
import fc from "fast-check";
import { Random } from "../src/base/random.ts";
import type { Optimizer, Segment } from "../src/optim/optimizer.ts";

export const STEPS = 10;
export const OPTIONS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };
const learningRate = (step: number) => 1e-3 * (1 - step / STEPS);
const gradientScale = (step: number) => 1 / (step + 1);

export interface Data {
  readonly parameters: Float32Array;
  /** Of each step. */
  readonly gradients: readonly Float32Array[];
}

export interface Result {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Up to five segments of odd lengths, in all from one element to more than two of the kernel's blocks. */
export const arbitrarySegments: fc.Arbitrary<Segment[]> = fc
  .array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40_000 })),
      decay: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((sizes) => {
    let end = 0;
    return sizes.map((size) => {
      end += size.length;
      return { ...size, offset: end - size.length };
    });
  });

/** Gradients from 1e-7 to 1, by element; a tenth of them always zero. */
export function randomData(segments: readonly Segment[], seed: number): Data {
  const random = Random.of(seed);
  const length = segments.reduce((sum, segment) => sum + segment.length, 0);
  const parameters = Float32Array.from({ length }, () => random.normal());
  const scales = parameters.map(() => (random.uniform() < 0.1 ? 0 : 10 ** (-7 * random.uniform())));
  const gradients = Array.from({ length: STEPS }, () => scales.map((scale) => scale * random.normal()));
  return { parameters, gradients };
}

/** What a segment has of the data. */
export function dataOf(segment: Segment, { parameters, gradients }: Data): Data {
  return { parameters: cut(parameters, segment), gradients: gradients.map((values) => cut(values, segment)) };
}

/** What a segment has of the result. */
export function resultOf(segment: Segment, { parameters, m, v }: Result): Result {
  return { parameters: cut(parameters, segment), m: cut(m, segment), v: cut(v, segment) };
}

function cut(values: Float32Array, { offset, length }: Segment): Float32Array {
  return values.subarray(offset, offset + length);
}

export async function run(optimizer: Optimizer, data: Data): Promise<Result> {
  const parameters = data.parameters.slice();
  await stepThrough(optimizer, parameters, data, 0, STEPS);
  return { parameters, m: optimizer.state.m, v: optimizer.state.v };
}

export async function stepThrough(
  optimizer: Optimizer,
  parameters: Float32Array,
  { gradients }: Data,
  from: number,
  to: number,
): Promise<void> {
  for (let step = from; step < to; step++) {
    const options = { learningRate: learningRate(step), gradientScale: gradientScale(step) };
    await optimizer.step(parameters, gradients[step], options);
  }
}

/** What a segment's learning rate is multiplied by, given its parameters and its update. */
export type TrustRatio = (segment: Segment, parameters: Float64Array, update: Float64Array) => number;

/**
 * AdamW and LAMB in float64, written as in the papers (algorithm 2 of both; AdamW's schedule multiplier lies in the
 * learning rate), and for each element its largest gradient and the largest term of its sums.
 */
export function definition(segments: readonly Segment[], data: Data, trustRatio: TrustRatio) {
  const { beta1, beta2, epsilon, weightDecay } = OPTIONS;
  const length = data.parameters.length;
  const parameters = Float64Array.from(data.parameters);
  const largestTerm = parameters.map(Math.abs);
  const [m, v, largestGradient] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
  data.gradients.forEach((gradients, step) => {
    for (const segment of segments) {
      const end = segment.offset + segment.length;
      const lambda = segment.decay ? weightDecay : 0;
      const update = new Float64Array(segment.length);
      const terms = new Float64Array(segment.length);
      for (let i = segment.offset; i < end; i++) {
        const gradient = gradients[i] * gradientScale(step);
        m[i] = beta1 * m[i] + (1 - beta1) * gradient;
        v[i] = beta2 * v[i] + (1 - beta2) * gradient ** 2;
        const mHat = m[i] / (1 - beta1 ** (step + 1));
        const vHat = v[i] / (1 - beta2 ** (step + 1));
        const r = mHat / (Math.sqrt(vHat) + epsilon);
        update[i - segment.offset] = r + lambda * parameters[i];
        terms[i - segment.offset] = Math.abs(r) + Math.abs(lambda * parameters[i]);
        largestGradient[i] = Math.max(largestGradient[i], Math.abs(gradient));
      }
      const rate = learningRate(step) * trustRatio(segment, parameters.subarray(segment.offset, end), update);
      for (let i = segment.offset; i < end; i++) {
        parameters[i] -= rate * update[i - segment.offset];
        largestTerm[i] = Math.max(largestTerm[i], Math.abs(parameters[i]), rate * terms[i - segment.offset]);
      }
    }
  });
  return { parameters, m, v, largestTerm, largestGradient };
}

/** The largest error of an element, relative to a magnitude given for each; NaN, which meets no limit, if one is. */
export function worstError(values: Float32Array, expected: Float64Array, magnitudes: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) {
    const error = Math.abs(values[i] - expected[i]);
    if (error !== 0) worst = Math.max(worst, error / magnitudes[i]);
  }
  return worst;
}

export function equalBytes(a: Result, b: Result): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  return (["parameters", "m", "v"] as const).every((name) => bytes(a[name]).equals(bytes(b[name])));
}
