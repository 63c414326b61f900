import { expect, test } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { activation, constant, dropout, input, matmul } from "../../graph/build.ts";
import { vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { onnxExecutor } from "./node.node.ts";

test("runs that overlap give what each gives alone, errors among them", async () => {
  const graph = makeGraph({ y: dropout(input("x", "float32", ["T"]), 0.5) });
  const executable = await onnxExecutor({ threads: 1 }).load(graph, new Parameters([]));
  const inputs = { x: vector(new Float32Array(100).fill(1)) };
  const one = await executable.run(inputs, { seed: 1 });
  const two = await executable.run(inputs, { seed: 2 });
  expect(two).not.toEqual(one);

  const runs = [1, undefined, 2].map((seed) => executable.run(inputs, { seed }));
  const disposed = executable.dispose(); // waits for them
  expect(await Promise.allSettled(runs)).toMatchObject([
    { value: one },
    { reason: { code: "SEED_MISSING" } },
    { value: two },
  ]);
  await disposed;
});

test("constants that JSON cannot tell apart, and inputs with names like those of values, are what they are", async () => {
  const [a, b] = [constant(Number.POSITIVE_INFINITY), constant(Number.NEGATIVE_INFINITY)];
  const [c, d] = ["v0", "c0"].map((name) => activation(input(name, "float32", ["T"]), "relu"));
  const executable = await onnxExecutor({ threads: 1 }).load(makeGraph({ a, b, c, d }), new Parameters([]));
  const values = await executable.run({ v0: vector(Float32Array.of(1, -1)), c0: vector(Float32Array.of(-2, 2)) });
  const numbers = Object.entries(values).map(([name, { data }]) => [name, ...data]);
  expect(numbers).toEqual([
    ["a", Number.POSITIVE_INFINITY],
    ["b", Number.NEGATIVE_INFINITY],
    ["c", 1, 0],
    ["d", 0, 2],
  ]);
  await executable.dispose();
});

test("a run that needs more memory than there is says how much, and later ones go on", async () => {
  const y = matmul(input("a", "float32", ["T", 1]), input("b", "float32", [1, "T"]));
  const executable = await onnxExecutor({ threads: 1 }).load(makeGraph({ y }), new Parameters([]));
  const run = (T: number) => {
    const data = new Float32Array(T);
    return executable.run({ a: { data, shape: [T, 1] }, b: { data, shape: [1, T] } });
  };
  // 256 TiB: more than a process can address, let alone have.
  await expectError(run(2 ** 23), "OUT_OF_MEMORY", "expected 268435456 MiB", "smaller batch");
  await run(3);
  await executable.dispose();
});

test.each([-1, 0, 1.5])("%d threads are refused", async (threads) => {
  await expectError(
    (async () => onnxExecutor({ threads }))(),
    "OPTION_INVALID",
    "expected a whole number from 1 to 1024",
    `got ${threads}`,
  );
});
