import { test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { input, matmul, sumRows } from "../../graph/build.ts";
import { vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { hasAddon } from "./addon.node.ts";
import { nativeExecutor } from "./executor.node.ts";
import { nativeKernels } from "./optimizer.node.ts";

test("a run that needs more memory than there is says how much, and later ones go on", async ({ skip }) => {
  if (!hasAddon()) skip("the native kernels were not built");
  const product = matmul(input("a", "float32", ["T", 1]), input("b", "float32", [1, "T"]));
  const executable = await nativeExecutor().load(makeGraph({ y: sumRows(product) }), new Parameters([]));
  const run = (T: number) => {
    const data = vector(new Float32Array(T)).data;
    return executable.run({ a: { data, shape: [T, 1] }, b: { data, shape: [1, T] } });
  };
  // 256 TiB: more than a process can address, let alone have.
  await expectError(run(2 ** 23), "OUT_OF_MEMORY", "expected 2", " MiB", "smaller batch");
  await run(3);
  await executable.dispose();
});

test("an optimizer of more numbers than there is memory for is refused as such", async ({ skip }) => {
  if (!hasAddon()) skip("the native kernels were not built");
  const open = async () => nativeKernels({ threads: 1 })(2 ** 44);
  await expectError(open(), "OUT_OF_MEMORY", "the optimizer needs", "expected 134217728 MiB", "smaller model");
});
