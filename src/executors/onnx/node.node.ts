import * as ort from "onnxruntime-node";
import { ClozeError } from "../../base/errors.ts";
import type { Executor } from "../../graph/executor.ts";
import { makeOnnxExecutor } from "./executor.ts";
import type { OnnxSession, OnnxValue } from "./session.ts";

export const DEVICES = ["cpu", "webgpu", "auto"] as const;
export type Device = (typeof DEVICES)[number];

export interface OnnxOptions {
  /** `auto` is `webgpu` where an adapter is found, else `cpu`. Default `cpu`. */
  readonly device?: Device;
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
}

/** The executor on onnxruntime-node. Runs compute on the calling thread (see worker.node.ts for another). */
export function onnxExecutor({ device = "cpu", threads }: OnnxOptions = {}): Executor {
  const providers = { cpu: ["cpu"], webgpu: ["webgpu"], auto: ["webgpu", "cpu"] }[device];
  return makeOnnxExecutor(`onnx ${device}`, async (model) => {
    try {
      return session(
        await ort.InferenceSession.create(model, {
          executionProviders: providers,
          graphOptimizationLevel: "all",
          logSeverityLevel: 3,
          ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        }),
      );
    } catch (cause) {
      throw new ClozeError("DEVICE_UNAVAILABLE", {
        problem: `ONNX Runtime could not open the model on "${device}"`,
        received: String(cause),
        cure: 'Use the device "cpu", or install a driver for the other.',
        cause,
      });
    }
  });
}

function session(inner: ort.InferenceSession): OnnxSession {
  const toTensor = ({ type, data, dims }: OnnxValue) =>
    data instanceof Float32Array ? new ort.Tensor("float32", data, dims) : new ort.Tensor(type, data, dims);
  return {
    async run(inputs, outputs) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toTensor(value)]));
      const fetches = Object.fromEntries(
        Object.entries(outputs).map(([name, value]) => [name, value === null ? null : toTensor(value)]),
      );
      const results = await inner.run(feeds, fetches);
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromTensor(tensor)]));
    },
    release: () => inner.release(),
  };
}

function fromTensor({ type, data, dims }: ort.Tensor): OnnxValue {
  if (type === "float32" && data instanceof Float32Array) return { type, data, dims };
  if (type === "int32" && data instanceof Int32Array) return { type, data, dims };
  throw new ClozeError("INTERNAL", { problem: `a session returned ${type}` });
}
