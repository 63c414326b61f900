import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { chooseDevice, type Device, openExecutor } from "../src/executors/executor.node.ts";
import { nodeSessions } from "../src/executors/onnx/node-sessions.node.ts";
import { input, linear, parameter } from "../src/graph/build.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { finetune } from "../src/tasks/task-table.node.ts";
import { writeRows, writeTinyModel } from "./tiny-model.ts";

// The Vulkan loader reads these once, when a first session asks for an adapter: this process will never find one.
// Only on Linux is Vulkan the way to a GPU.
const hidden = process.platform === "linux";
if (hidden) process.env.VK_ICD_FILENAMES = process.env.VK_DRIVER_FILES = "/there/is/no/driver.json";

async function run(device: Device) {
  const weight = parameter("weight", [5, 7], "normal");
  const y = linear(input("x", "float32", ["T", 7]), weight, parameter("bias", [5], "normal"));
  const graph = makeGraph({ y });
  const parameters = new Parameters(graph.parameters);
  initialise(parameters, 1, 1);
  const executable = await (await openExecutor({ device }, "inference")).load(graph, parameters);
  const values = await executable.run({ x: { data: new Float32Array(21).fill(0.5), shape: [3, 7] } });
  await executable.dispose();
  return values.y;
}

describe("where there is no adapter", () => {
  beforeEach(({ skip }) => skip(!hidden, "this system's GPU cannot be hidden from a test"));

  // Twice: a failure must not leave something behind that makes the next try crash, or pass on the cpu.
  test.each(["first", "second"])("the device webgpu is refused, at the %s try", async () => {
    await expect(run("webgpu")).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      received: expect.stringMatching(/^Failed to get a WebGPU adapter/),
      cure: expect.stringContaining('Use the device "cpu"'),
    });
  });

  test("--overwrite leaves the former training as it is", async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), "cloze-webgpu-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const model = await writeTinyModel(join(folder, "start"));
    const train = writeRows(join(folder, "train.jsonl"), [
      { text: "good", label: "positive" },
      { text: "bad", label: "negative" },
    ]);
    const options = { model, train, output: join(folder, "result"), epochs: 1 };
    await finetune("text-classification", options);
    const record = readFileSync(join(options.output, "training.json"));
    const refused = finetune("text-classification", { ...options, overwrite: true, device: "webgpu" });
    await expect(refused).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE" });
    expect(readFileSync(join(options.output, "training.json"))).toEqual(record);
  });

  test("the device auto is the cpu", async () => {
    expect(await run("auto")).toEqual(await run("cpu"));
    expect(await chooseDevice({ device: "auto" })).toBe("cpu");
  });
});

test("a model that ONNX Runtime refuses on the cpu is a defect, not a missing device", async () => {
  await expect(nodeSessions({ device: "cpu" })(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: "INTERNAL" });
});
