import { input, matmul, parameter } from "../src/graph/build.ts";
import type { Executable, Executor } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import type { Values } from "./operation-graphs.ts";
import { loadGraph, makeSentences, pretrainingBatch, SMALL, trainingGraph } from "./pretraining-run.ts";

/** The loss and gradients of a small batch. */
export async function smallRun(executor: Executor): Promise<Values> {
  const executable = await loadGraph(executor, trainingGraph(SMALL));
  const values = await executable.run(pretrainingBatch(SMALL, makeSentences(SMALL, [40, 3, 17, 1, 26])), { seed: 5 });
  await executable.dispose();
  return values;
}

/** A run that takes a processor at least a tenth of a second: 43 GFLOP. */
export async function longRun(executor: Executor): Promise<{ executable: Executable; inputs: Values }> {
  const [tokens, width, products] = [1024, 1024, 20];
  const weight = parameter("weight", [width, width], "normal");
  let x = input("x", "float32", ["T", width]);
  for (let i = 0; i < products; i++) x = matmul(x, weight);
  const graph = makeGraph({ x });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 1 / Math.sqrt(width), 1);
  const executable = await executor.load(graph, parameters);
  return { executable, inputs: { x: { data: new Float32Array(tokens * width).fill(1), shape: [tokens, width] } } };
}
