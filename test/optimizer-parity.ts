import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parseSafetensors, toFloat32 } from "../src/formats/safetensors.ts";
import { clipScale } from "../src/optim/gradients.ts";
import type { Optimizer, OptimizerOptions, Segment } from "../src/optim/optimizer.ts";

const STEPS = 10;
const TOLERANCE = 1e-6;

interface Constants {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly maxNorm: number;
  /** Of each tensor: 0, or the value of all others. */
  readonly weightDecay: Readonly<Record<string, number>>;
}

/**
 * Replays the ten steps of a file of test/fixtures, its tensors one after another in the flat buffers, and compares
 * parameters and the norm before clipping after each step, moments after the last, element by element.
 */
export async function expectParity(
  fixture: string,
  Optimizer: new (segments: readonly Segment[], options: OptimizerOptions) => Optimizer,
): Promise<void> {
  const file = (extension: string) => readFileSync(new URL(`./fixtures/${fixture}.${extension}`, import.meta.url));
  const { tensors } = parseSafetensors(file("safetensors"));
  const { maxNorm, weightDecay, ...others }: Constants = JSON.parse(file("json").toString());
  const names = Object.keys(weightDecay);
  const read = (name: string) => toFloat32(tensors.get(name)!);
  /** What all tensors hold; of what has a row for each step, that row. */
  const flat = (what: string, step?: number) => {
    const parts = names.map((name) => {
      const values = read(`${name}.${what}`);
      const length = values.length / STEPS;
      return step === undefined ? values : values.subarray(step * length, (step + 1) * length);
    });
    return Float32Array.from(parts.flatMap((part) => [...part]));
  };

  let end = 0;
  const segments = names.map((name) => {
    const { length } = read(`${name}.initial`);
    end += length;
    return { offset: end - length, length, decay: weightDecay[name]! > 0 };
  });
  const optimizer = new Optimizer(segments, { ...others, weightDecay: Math.max(...Object.values(weightDecay)) });
  const parameters = flat("initial");
  const largestGradient = new Float32Array(parameters.length);
  for (let step = 0; step < STEPS; step++) {
    const gradients = flat("gradients", step);
    const norm = await optimizer.norm(gradients);
    const gradientScale = clipScale(norm, maxNorm);
    await optimizer.step(parameters, gradients, { learningRate: read("learningRates")[step], gradientScale });
    gradients.forEach((gradient, i) => {
      largestGradient[i] = Math.max(largestGradient[i], Math.abs(gradient * gradientScale));
    });

    expectClose(Float32Array.of(norm), Float32Array.of(read("gradientNorms")[step]));
    expectClose(parameters, flat("parameters", step));
  }
  // A first moment is a sum of terms of both signs: its error is relative to the terms.
  expectClose(optimizer.state.m, flat("firstMoment"), largestGradient);
  expectClose(optimizer.state.v, flat("secondMoment"));
}

function expectClose(actual: Float32Array, expected: Float32Array, magnitudes = expected): void {
  expect(actual.length).toBe(expected.length);
  const far = [...actual.keys()].filter((i) => {
    return !(Math.abs(actual[i] - expected[i]) <= TOLERANCE * Math.abs(magnitudes[i]));
  });
  expect(far).toEqual([]);
}
