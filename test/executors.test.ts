import { onnxExecutor } from "../src/executors/onnx/node.node.ts";
import { referenceExecutor } from "../src/executors/reference/executor.ts";
import { describeExecutor } from "./executor-contract.ts";

describeExecutor("reference", () => referenceExecutor, { tolerance: 0 });
describeExecutor("onnx, cpu", () => onnxExecutor({ device: "cpu" }), { tolerance: 1e-5 });
