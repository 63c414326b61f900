import { expect, test } from "vitest";
import { describeNative } from "../../../test/native-kernels.ts";
import { gather, input, matmul, parameter, scatterAdd } from "../../graph/build.ts";
import { type TimedCall, vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { loadAddon } from "./addon.node.ts";
import { nativeExecutor } from "./executor.node.ts";
import { FAMILIES } from "./families.ts";

describeNative("with native kernels", () => {
  test("calls are told once, with what they compute and touch", async () => {
    const [table, indices] = [parameter("table", [99, 8], "zeros"), input("indices", "int32", ["T"])];
    const rows = gather(table, indices); // [T, 8]
    const sums = scatterAdd(indices, rows, table); // [99, 8]
    const graph = makeGraph({ y: matmul(rows, parameter("weight", [8, 5], "zeros")), sums }); // [T, 5]
    const told: TimedCall[] = [];
    const executable = await nativeExecutor({ threads: 1 }).load(graph, new Parameters(graph.parameters));
    await executable.run({ indices: vector(Int32Array.of(3, 1, 4)) }, { onCalls: (calls) => told.push(...calls) });
    await executable.dispose();
    const calls = told.map(({ kernel, family, flop, bytes }) => ({ kernel, family, flop, bytes }));
    expect(calls).toHaveLength(5);
    expect(calls).toContainEqual({ kernel: "gather", family: "rows", flop: 0, bytes: 3 * (2 * 8 * 4 + 4) });
    expect(calls).toContainEqual({ kernel: "scatterAdd", family: "rows", flop: 0, bytes: 3 * (3 * 8 * 4 + 4) });
    expect(calls).toContainEqual({ kernel: "packRight", family: "packing", flop: 0, bytes: 8 * 5 * 4 + 8 * 32 * 4 });
    const product = { kernel: "product", family: "products", flop: 2 * 3 * 8 * 5 };
    expect(calls).toContainEqual({ ...product, bytes: 3 * 8 * 4 + 8 * 32 * 4 + 3 * 5 * 4 });
  });

  test("every kernel has a family, and every name there is a kernel", () => {
    const { kernels } = loadAddon();
    const names: readonly string[] = Object.values(FAMILIES).flat();
    expect(kernels.filter((kernel) => !names.includes(kernel))).toEqual([]);
    const missing = names.filter((name) => !kernels.includes(name)); // on processors without AVX-512
    expect(missing.filter((name) => !/quantize/i.test(name))).toEqual([]);
  });
});
