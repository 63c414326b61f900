import { describe, expect, test } from "vitest";
import type { ParameterSpec } from "./graph.ts";
import { initialise, Parameters, sizeOf } from "./parameters.ts";

const SPECS: readonly ParameterSpec[] = [
  { name: "table", shape: [11, 6], initial: "normal" },
  { name: "norm.weight", shape: [6], initial: "ones" },
  { name: "norm.bias", shape: [6], initial: "zeros" },
  { name: "head", shape: [3, 6], initial: "normal" },
];

function initialised(specs: readonly ParameterSpec[], range = 0.02, seed = 1): Parameters {
  const parameters = new Parameters(specs);
  initialise(parameters, range, seed);
  return parameters;
}

describe("Parameters", () => {
  test("are views of one buffer, in the order of their specs", () => {
    const parameters = new Parameters(SPECS);
    expect(parameters.count).toBe(66 + 6 + 6 + 18);
    expect(parameters.views.map(({ offset, data }) => [offset, data.length])).toEqual([
      [0, 66],
      [66, 6],
      [72, 6],
      [78, 18],
    ]);
    parameters.get("norm.bias").data[2] = 5;
    expect(parameters.buffer[74]).toBe(5);
  });

  test("are found by name", () => {
    const parameters = new Parameters(SPECS);
    expect(parameters.has("head")).toBe(true);
    expect(parameters.get("head").spec).toBe(SPECS[3]);
    expect(parameters.has("tail")).toBe(false);
    expect(() => parameters.get("tail")).toThrow(expect.objectContaining({ code: "NAME_UNKNOWN" }));
  });

  test("have gradients of the same layout in a buffer of their own", () => {
    const parameters = initialised(SPECS);
    const gradients = parameters.like();
    expect(gradients.views.map(({ spec, offset }) => ({ spec, offset }))).toEqual(
      parameters.views.map(({ spec, offset }) => ({ spec, offset })),
    );
    expect(gradients.buffer.every((value) => value === 0)).toBe(true);
    expect(gradients.buffer.buffer).not.toBe(parameters.buffer.buffer);
  });

  test("may be none", () => {
    expect(new Parameters([]).count).toBe(0);
  });
});

describe("initialise", () => {
  test("fills with ones and zeros, whatever was there", () => {
    const parameters = new Parameters(SPECS);
    parameters.buffer.fill(9);
    initialise(parameters, 0.02, 1);
    expect(parameters.get("norm.weight").data).toEqual(new Float32Array(6).fill(1));
    expect(parameters.get("norm.bias").data).toEqual(new Float32Array(6));
  });

  test("draws from a normal distribution cut off at two deviations", () => {
    const count = 300_000;
    const { buffer } = initialised([{ name: "big", shape: [count], initial: "normal" }], 0.02);
    const z = Array.from(buffer, (value) => value / 0.02);
    const moment = (power: number) => z.reduce((sum, value) => sum + value ** power, 0) / count;

    // A standard normal kept between -2 and 2 has the second moment 1 - 2·2 φ(2) / (2 Φ(2) - 1), and so on.
    const density = Math.exp(-2) / Math.sqrt(2 * Math.PI); // φ(2)
    const inside = 0.9544997361036416; // 2 Φ(2) - 1
    const variance = 1 - (4 * density) / inside;
    const fourth = 3 * variance - (16 * density) / inside;
    const deviations = 4 / Math.sqrt(count);
    expect(Math.abs(moment(1))).toBeLessThan(deviations * Math.sqrt(variance));
    expect(Math.abs(moment(2) - variance)).toBeLessThan(deviations * Math.sqrt(fourth - variance ** 2));
    expect(z.every((value) => Math.abs(value) <= 2.000001)).toBe(true);
    expect(z.filter((value) => Math.abs(value) > 1.9).length).toBeGreaterThan(0);
  });

  test("gives a parameter values of its name and seed alone", () => {
    const whole = initialised(SPECS);
    const alone = initialised([SPECS[3]]);
    expect(alone.get("head").data).toEqual(whole.get("head").data);
    const renamed = initialised([{ ...SPECS[3], name: "tail" }]);
    expect(renamed.get("tail").data).not.toEqual(whole.get("head").data);
    expect(initialised(SPECS, 0.02, 2).get("head").data).not.toEqual(whole.get("head").data);
    expect(initialised(SPECS).buffer).toEqual(whole.buffer);
  });

  test("scales with the range", () => {
    const narrow = initialised(SPECS, 0.02).get("table").data;
    const wide = initialised(SPECS, 0.04).get("table").data;
    expect(wide).toEqual(narrow.map((value) => 2 * value));
  });
});

test("sizeOf counts the numbers of a shape", () => {
  expect([sizeOf([]), sizeOf([7]), sizeOf([3, 0, 2]), sizeOf([3, 5, 2])]).toEqual([1, 7, 0, 30]);
});
