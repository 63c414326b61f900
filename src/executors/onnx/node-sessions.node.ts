import * as ort from "onnxruntime-node";
import { ClozeError } from "../../base/errors.ts";
import { mapValues } from "../../base/map-values.ts";
import { outOfMemory } from "../../base/out-of-memory.ts";
import type { ExecutionProvider, OnnxSession, OnnxValue, OpenSession, SessionOptions } from "./session.ts";

/** Sessions that compute on the calling thread. They throw DEVICE_UNAVAILABLE, OUT_OF_MEMORY, INTERNAL. */
export function nodeSessions({ device = "cpu", threads }: SessionOptions): OpenSession {
  return (model) => open(model, device, threads);
}

async function open(model: Uint8Array, device: ExecutionProvider, threads: number | undefined): Promise<OnnxSession> {
  try {
    return wrap(
      await ort.InferenceSession.create(model, {
        executionProviders: [device],
        graphOptimizationLevel: "all",
        // Errors are thrown; warnings tell of our own choices, such as small operators kept off the GPU.
        logSeverityLevel: 3,
        // Lengths change from run to run, and a memory plan made for one of them is memory lost for the others.
        enableMemPattern: false,
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      }),
    );
  } catch (cause) {
    if (device === "cpu") throw failure("the model", cause);
    throw new ClozeError("DEVICE_UNAVAILABLE", {
      problem: `the device "${device}" cannot be used`,
      expected: "a GPU with a driver for Vulkan, Metal or Direct3D 12",
      // The runtime puts the place in its own source first.
      received: /Failed to get .*/.exec(String(cause))?.[0] ?? String(cause),
      cure: 'Use the device "cpu", or "auto", which falls back to it, or install the driver of your GPU.',
      cause,
    });
  }
}

function wrap(inner: ort.InferenceSession): OnnxSession {
  return {
    async run(inputs, outputs) {
      const wanted = mapValues(outputs, (value) => (value === null ? null : toTensor(value)));
      const results = await inner.run(mapValues(inputs, toTensor), wanted).catch((cause) => {
        throw failure("a run", cause);
      });
      return mapValues(results, fromTensor);
    },
    release: () => inner.release(),
  };
}

/** What the runtime failed with: of memory it tells by words alone. */
function failure(what: string, cause: unknown): ClozeError {
  const bytes = /Failed to allocate memory for requested buffer of size (\d+)/.exec(String(cause))?.[1];
  if (bytes !== undefined) return outOfMemory(cause, { bytes: Number(bytes) });
  if (/bad_alloc|bad allocation/.test(String(cause))) return outOfMemory(cause);
  return new ClozeError("INTERNAL", { problem: `ONNX Runtime refused ${what}`, received: String(cause), cause });
}

function toTensor({ type, data, dims }: OnnxValue): ort.Tensor {
  return new ort.Tensor(type, data, dims);
}

function fromTensor({ type, data, dims }: ort.Tensor): OnnxValue {
  if (type === "float32" && data instanceof Float32Array) return { type, data, dims };
  if (type === "int32" && data instanceof Int32Array) return { type, data, dims };
  throw new ClozeError("INTERNAL", { problem: `a session returned ${type}` });
}
