import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseSafetensors, toFloat32 } from "../src/formats/safetensors.ts";
import { AdamW } from "../src/optim/adamw.ts";
import { clipScale, globalNorm } from "../src/optim/gradients.ts";

/** The groups of test/fixtures/make_adamw.py, in the order in which they lie in the flat buffers here. */
const GROUPS = ["decayed", "plain"];
const STEPS = 10;

interface Constants {
  beta1: number;
  beta2: number;
  epsilon: number;
  maxNorm: number;
  weightDecay: { decayed: number };
}

const fixture = (name: string) => new URL(`./fixtures/adamw.${name}`, import.meta.url);
const { tensors } = parseSafetensors(readFileSync(fixture("safetensors")));
const constants: Constants = JSON.parse(readFileSync(fixture("json"), "utf8"));
const read = (name: string) => toFloat32(tensors.get(name)!);

/** A tensor of each group, one after the other; of a tensor with a row per step, that row. */
function flat(name: string, step?: number): Float32Array {
  const parts = GROUPS.map((group) => {
    const values = read(`${group}.${name}`);
    const length = values.length / STEPS;
    return step === undefined ? values : values.subarray(step * length, (step + 1) * length);
  });
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

it("clips and steps as PyTorch does, element by element", () => {
  const [decayed, plain] = GROUPS.map((group) => read(`${group}.initial`).length);
  const segments = [
    { offset: 0, length: decayed!, decay: true },
    { offset: decayed!, length: plain!, decay: false },
  ];
  const { beta1, beta2, epsilon, maxNorm, weightDecay } = constants;
  const optimizer = new AdamW(segments, { beta1, beta2, epsilon, weightDecay: weightDecay.decayed });
  const parameters = flat("initial");
  const largestGradient = new Float32Array(parameters.length);
  for (let step = 0; step < STEPS; step++) {
    const gradients = flat("gradients", step);
    const norm = globalNorm(gradients);
    const gradientScale = clipScale(norm, maxNorm);
    optimizer.step(parameters, gradients, { learningRate: read("learningRates")[step], gradientScale });
    gradients.forEach((gradient, i) => {
      largestGradient[i] = Math.max(largestGradient[i], Math.abs(gradient * gradientScale));
    });

    const expected = flat("parameters", step);
    expectClose(Float32Array.of(norm), Float32Array.of(read("gradientNorms")[step]));
    expectClose(parameters, expected);
  }
  // A first moment is a sum of terms of both signs: its error is relative to the terms.
  expectClose(optimizer.state.m, flat("firstMoment"), largestGradient);
  expectClose(optimizer.state.v, flat("secondMoment"));
});

function expectClose(actual: Float32Array, expected: Float32Array, magnitudes = expected): void {
  const far = [...actual.keys()].filter((i) => !(Math.abs(actual[i] - expected[i]) <= 1e-6 * Math.abs(magnitudes[i])));
  expect(far).toEqual([]);
}
