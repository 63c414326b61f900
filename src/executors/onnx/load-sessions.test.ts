/** Where ONNX Runtime has no binary for the system, its package throws when it is loaded. */
import { expect, test, vi } from "vitest";
import { expectError } from "../../../test/expect-error.ts";
import { formatSystem, inspectSystem } from "../../cli/system.ts";
import { constant } from "../../graph/build.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { chooseDevice } from "../executor.node.ts";
import { onnxExecutor } from "./node.node.ts";

vi.mock("onnxruntime-node", () => {
  throw new Error("Cannot find module '../bin/napi-v6/linux/riscv64/onnxruntime_binding.node'");
});

test("that is no device", async () => {
  const load = onnxExecutor().load(makeGraph({ y: constant(1) }), new Parameters([]));
  await expectError(load, "DEVICE_UNAVAILABLE", "ONNX Runtime cannot be loaded", "npm rebuild cloze");
});

test("the processor is what auto chooses", async () => {
  expect(await chooseDevice({ device: "auto" })).toBe("cpu");
});

test("the system is described without it", async () => {
  const system = await inspectSystem();
  expect(system.executors.onnx).toEqual({ missing: expect.stringMatching(/^ONNX Runtime cannot be loaded; /) });
  const text = formatSystem(system);
  expect(text).toMatch(/^no onnx executor: ONNX Runtime cannot be loaded; /m);
  expect(text).not.toMatch(/^onnx /m);
});
