import { expect, test } from "vitest";
import { dropout, input } from "../../graph/build.ts";
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
