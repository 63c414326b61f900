import { afterAll } from "vitest";
import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { constant } from "../src/graph/build.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { Parameters } from "../src/graph/parameters.ts";
import { describeExecutor } from "./executor-contract.ts";

let keeper: any;
describeExecutor(
  "onnx, webgpu",
  async () => {
    const e = onnxExecutor({ device: "webgpu" });
    keeper = await e.load(makeGraph({ y: constant(1) }), new Parameters([]));
    return e;
  },
  { tolerance: 1e-4 },
);
afterAll(() => keeper.dispose());
