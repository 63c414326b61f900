/** Products of 8-bit integers: exact in what was quantized, close to what it stood for, and refused elsewhere. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../src/base/random.ts";
import { openExecutor } from "../src/executors/executor.node.ts";
import { activation, add, input, linear, parameter } from "../src/graph/build.ts";
import type { Executor } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { Parameters } from "../src/graph/parameters.ts";
import { FeatureExtractor } from "../src/index.ts";
import { SHIPPED_MODEL } from "../src/tasks/folder/shipped-model.node.ts";
import { measureProducts } from "../src/train/ceiling.ts";
import { expectError } from "./expect-error.ts";
import { describeInt8, describeNative, nativeOn } from "./native-kernels.ts";
import { relativeError } from "./relative-error.ts";

interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** [rows, inner] */
  readonly x: Float32Array;
  /** [columns, inner] */
  readonly weight: Float32Array;
}

/** Normal numbers, in each row of another size, some rows of one sign. */
function makeProduct(rows: number, columns: number, inner: number, seed: number): Product {
  const matrix = (name: string, height: number) => {
    const random = Random.of(seed, name);
    const factors = Array.from({ length: height }, () => ({
      size: 10 ** (3 * random.normal()),
      signed: random.below(3),
    }));
    return Float32Array.from({ length: height * inner }, (_, i) => {
      const { size, signed } = factors[Math.floor(i / inner)];
      const z = random.normal();
      return size * (signed ? z : Math.abs(z));
    });
  };
  return { rows, columns, inner, x: matrix("x", rows), weight: matrix("weight", columns) };
}

/** A linear layer whose bias is 0. */
function layer(columns: number, inner: number, weight: Float32Array) {
  const y = linear(
    input("x", "float32", ["T", inner]),
    parameter("weight", [columns, inner], "normal"),
    parameter("bias", [columns], "zeros"),
  );
  const graph = makeGraph({ y });
  const parameters = new Parameters(graph.parameters);
  parameters.get("weight").data.set(weight);
  return { graph, parameters };
}

async function multiply(executor: Executor, { rows, columns, inner, x, weight }: Product): Promise<Float32Array> {
  const { graph, parameters } = layer(columns, inner, weight);
  const executable = await executor.load(graph, parameters, { frozen: true });
  const { y: result } = await executable.run({ x: { data: x, shape: [rows, inner] } });
  await executable.dispose();
  return Float32Array.from(result.data);
}

const { fround } = Math;

/** To the nearest whole number, of two the even one. */
function rint(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}

interface Quantized {
  readonly scale: number;
  readonly zero: number;
  readonly integers: readonly number[];
}

function quantizeRow(x: Float32Array): Quantized {
  const [low, high] = [Math.min(0, ...x), Math.max(0, ...x)];
  const scale = fround(fround(high - low) / 255);
  const inverse = scale > 0 ? fround(1 / scale) : 0;
  const zero = clamp(rint(fround(-low * inverse)), 0, 255);
  return { scale, zero, integers: Array.from(x, (v) => clamp(rint(fround(v * inverse)) + zero, 0, 255)) };
}

function quantizeWeights(w: Float32Array): Quantized {
  const scale = fround(Math.max(...w.map(Math.abs)) / 127);
  const inverse = scale > 0 ? fround(1 / scale) : 0;
  return { scale, zero: 0, integers: Array.from(w, (v) => clamp(rint(fround(v * inverse)), -127, 127)) };
}

/** The product of the quantized numbers, whose sums a float64 holds exactly. */
function productOfQuantized({ rows, columns, inner, x, weight }: Product): Float32Array {
  const rowsOf = (matrix: Float32Array, count: number) =>
    Array.from({ length: count }, (_, i) => matrix.subarray(i * inner, (i + 1) * inner));
  const left = rowsOf(x, rows).map(quantizeRow);
  const right = rowsOf(weight, columns).map(quantizeWeights);
  return Float32Array.from(
    left.flatMap((row) =>
      right.map((column) => {
        const sum = row.integers.reduce((sum, q, k) => sum + (q - row.zero) * column.integers[k], 0);
        return fround(fround(sum) * fround(row.scale * column.scale));
      }),
    ),
  );
}

describeNative("int8", (addon) => {
  describeInt8("products", addon, (set) => {
    const executor = nativeOn(set, { precision: "int8", threads: 2 });

    test("are exactly those of the quantized numbers, of all sizes", async () => {
      const size = (max: number) => fc.integer({ min: 1, max });
      const property = fc.asyncProperty(size(40), size(70), size(300), fc.nat(), async (rows, columns, inner, seed) => {
        const product = makeProduct(rows, columns, inner, seed);
        expect(await multiply(executor, product)).toEqual(productOfQuantized(product));
      });
      await fc.assert(property, { numRuns: 60 });
    });

    test("do not overflow where all integers are the largest, as many as are taken", async () => {
      const inner = Math.floor(2 ** 31 / (255 * 127));
      const product = {
        rows: 1,
        columns: 2,
        inner,
        x: new Float32Array(inner).fill(1),
        weight: new Float32Array(2 * inner),
      };
      product.weight.fill(1, 0, inner).fill(-1, inner);
      const y = await multiply(executor, product);
      expect(relativeError(y, [inner, -inner])).toBeLessThan(1e-6);
    });

    test("of more than that are of floats", async () => {
      const inner = Math.floor(2 ** 31 / (255 * 127)) + 1;
      const x = new Float32Array(inner).fill(0.001);
      x[0] = 255; // beside it the others are 0 in 8 bits
      const y = await multiply(executor, { rows: 1, columns: 1, inner, x, weight: new Float32Array(inner).fill(1) });
      expect(y[0]).toBeGreaterThan(255 + 60);
    });

    test("end as other products do: bias, activation, sum", async () => {
      const { rows, columns, inner, x, weight } = makeProduct(29, 37, 45, 5);
      const bias = Float32Array.from({ length: columns }, (_, i) => i - 7);
      const product = productOfQuantized({ rows, columns, inner, x, weight });
      const tensor = linear(
        input("x", "float32", ["T", inner]),
        parameter("weight", [columns, inner], "normal"),
        parameter("bias", [columns], "zeros"),
      );
      const addend = input("addend", "float32", ["T", columns]);
      const graph = makeGraph({ active: activation(tensor, "relu"), sum: add(tensor, addend) });
      const parameters = new Parameters(graph.parameters);
      parameters.get("weight").data.set(weight);
      parameters.get("bias").data.set(bias);
      const executable = await executor.load(graph, parameters, { frozen: true });
      const addends = Float32Array.from(product, (_, i) => (i % 11) - 5);
      const { active, sum } = await executable.run({
        x: { data: x, shape: [rows, inner] },
        addend: { data: addends, shape: [rows, columns] },
      });
      const biased = product.map((value, i) => value + bias[i % columns]);
      // Activations may be stored as bfloat16.
      expect(
        relativeError(
          active.data,
          biased.map((value) => Math.max(0, value)),
        ),
      ).toBeLessThan(0.005);
      expect(
        relativeError(
          sum.data,
          biased.map((value, i) => value + addends[i]),
        ),
      ).toBeLessThan(0.005);
      await executable.dispose();
    });

    test("of rows of zeros, of one number and of tiny ones are right", async () => {
      const inner = 7;
      const x = new Float32Array(4 * inner);
      x.fill(3.5, inner, 2 * inner)
        .fill(-2, 2 * inner, 3 * inner)
        .fill(1e-42, 3 * inner);
      const weight = Float32Array.from({ length: 2 * inner }, (_, i) => (i < inner ? 0 : 1));
      const y = await multiply(executor, { rows: 4, columns: 2, inner, x, weight });
      expect(Array.from(y.subarray(0, 3))).toEqual([0, 0, 0]);
      expect(y[3]).toBeCloseTo(7 * 3.5, 4);
      expect(y[5]).toBeCloseTo(7 * -2, 4);
      expect(y[7]).toBeCloseTo(0, 30);
    });

    test.each([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ])("of a row with %d are not finite, and those of other rows as they were", async (odd) => {
      const product = makeProduct(15, 33, 21, 3);
      const before = await multiply(executor, product);
      product.x[4 * product.inner + 20] = odd;
      const after = await multiply(executor, product);
      const row = (y: Float32Array, i: number) => y.subarray(i * product.columns, (i + 1) * product.columns);
      expect(row(after, 4).some(Number.isFinite)).toBe(false);
      for (const i of [0, 3, 5, 14]) expect(row(after, i)).toEqual(row(before, i));
    });

    test("with weights that may change are of floats", async () => {
      const product = makeProduct(3, 4, 50, 1);
      const { graph, parameters } = layer(4, 50, product.weight);
      const run = async (precision: "int8" | "bf16") => {
        const executable = await nativeOn(set, { precision }).load(graph, parameters);
        const { y } = await executable.run({ x: { data: product.x, shape: [3, 50] } });
        await executable.dispose();
        return y.data;
      };
      expect(await run("int8")).toEqual(await run("bf16"));
    });
  });

  test("is what the ceiling of 8-bit products measures", async ({ skip }) => {
    const [set] = addon.instructionSets;
    if (!set.int8) skip("this processor does not multiply 8-bit integers");
    const executor = nativeOn(set, { precision: "int8" });
    const kernels = new Set<string>();
    const watched: Executor = {
      name: executor.name,
      async load(...graph) {
        const executable = await executor.load(...graph);
        return {
          run: (inputs, options) =>
            executable.run(inputs, {
              ...options,
              onCalls(calls) {
                for (const { kernel, family } of calls) if (family === "products") kernels.add(kernel);
                options?.onCalls?.(calls);
              },
            }),
          dispose: () => executable.dispose(),
        };
      },
    };
    await measureProducts(watched, [{ rows: 8, inner: 16, columns: 24, count: 1 }], { frozen: true });
    expect([...kernels]).toEqual(["quantizedProduct"]);
  });

  test("gives the shipped model's features their direction", async ({ skip }) => {
    if (!addon.instructionSets[0].int8) skip("this processor does not multiply 8-bit integers");
    const texts = [
      "The film is a delight from beginning to end.",
      "Rain is expected in the north, with strong winds near the coast.",
      "He was born in 1879 in Ulm, in the Kingdom of Württemberg.",
      "no",
    ].map((text) => ({ text }));
    const [exact, quantized] = await Promise.all(
      (["fp32", "int8"] as const).map(async (precision) => {
        const extractor = await FeatureExtractor.open(SHIPPED_MODEL, { precision });
        const features = await extractor.tokenFeatures(texts);
        await extractor.dispose();
        return features.map(({ data }) => data);
      }),
    );
    exact.forEach((features, i) => {
      expect(cosine(features, quantized[i])).toBeGreaterThan(0.998);
      expect(quantized[i]).not.toEqual(features);
    });
  });

  describe("is refused", () => {
    const int8 = { precision: "int8" } as const;

    test("where the instruction set lacks it", async () => {
      const lesser = addon.instructionSets.filter((set) => !set.int8);
      expect(lesser.length).toBeGreaterThan(0);
      for (const set of lesser) {
        const open = async () => nativeOn(set, int8);
        await expectError(open(), "OPTION_INVALID", "int8", "AVX512-VNNI", set.name);
      }
    });

    test.each(["onnx", "webgpu", "auto"] as const)("by the device %s", async (device) => {
      await expectError(openExecutor({ device, ...int8 }, "inference"), "OPTION_INVALID", "int8", `got ${device}`);
    });

    test("for training, also by the compiler", async () => {
      // @ts-expect-error: a training has no such precision
      const opening = openExecutor(int8, "training");
      await expectError(opening, "OPTION_INVALID", "int8", "fp32, bf16 for training");
    });
  });
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
