import { describe, expect, test } from "vitest";
import { hasAddon, loadAddon } from "../../executors/native/addon.node.ts";
import { timedCall } from "../../executors/native/profile.ts";
import { gather, input, matmul, parameter } from "../../graph/build.ts";
import { vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { openTimed } from "./timed-executor.ts";

describe.skipIf(!hasAddon())("with native kernels", () => {
  test("calls are told once, with what they compute and touch", async () => {
    const rows = gather(parameter("table", [99, 8], "zeros"), input("indices", "int32", ["T"])); // [T, 8]
    const graph = makeGraph({ y: matmul(rows, parameter("weight", [8, 5], "zeros")) }); // [T, 5]
    const { executor, takeCalls, missing } = openTimed({ precision: "fp32", threads: 1 }, "inference");
    const executable = await executor.load(graph, new Parameters(graph.parameters));
    await executable.run({ indices: vector(Int32Array.of(3, 1, 4)) });
    await executable.dispose();
    const calls = takeCalls().map(({ kernel, family, flop, bytes }) => ({ kernel, family, flop, bytes }));
    expect(calls).toHaveLength(3);
    expect(calls).toContainEqual({ kernel: "gather", family: "rows", flop: 0, bytes: 3 * (2 * 8 * 4 + 4) });
    expect(calls).toContainEqual({ kernel: "packRight", family: "packing", flop: 0, bytes: 8 * 5 * 4 + 8 * 32 * 4 });
    const product = { kernel: "product", family: "products", flop: 2 * 3 * 8 * 5 };
    expect(calls).toContainEqual({ ...product, bytes: 3 * 8 * 4 + 8 * 32 * 4 + 3 * 5 * 4 });
    expect(takeCalls()).toEqual([]);
    expect(missing).toBeUndefined();
  });

  test("every kernel has a family", () => {
    const run = { bindings: new Map(), seed: 0 };
    const familyOf = (kernel: string) => timedCall({ kernel, arguments: [] }, 0, run, () => 0).family;
    expect(loadAddon().kernels.filter((kernel) => familyOf(kernel) === "other")).toEqual([]);
  });
});
