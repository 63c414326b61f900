import { requireThreads } from "../../base/threads.ts";
import type { Executor } from "../../graph/executor.ts";
import { loadSessions } from "./load-sessions.node.ts";
import type { SessionOptions } from "./session.ts";
import { workerSessions } from "./worker.node.ts";

export interface OnnxOptions extends SessionOptions {
  /** Compute on a thread of its own, so that the caller's event loop stays free. Default false. */
  readonly worker?: boolean;
}

/**
 * The executor on onnxruntime-node, which is loaded with the first graph: that takes longer than other kernels take to answer.
 * Throws OPTION_INVALID for a wrong number of threads and, when it loads a graph, DEVICE_UNAVAILABLE for a device that is not
 * there, and where there is no ONNX Runtime for the system.
 */
export function onnxExecutor({ worker = false, device = "cpu", threads }: OnnxOptions = {}): Executor {
  if (threads !== undefined) requireThreads(threads);
  const name = `onnx ${device}`;
  const options = { device, threads };
  return {
    name,
    async load(...graph) {
      const { makeOnnxExecutor } = await import("./executor.ts");
      return makeOnnxExecutor(name, worker ? workerSessions(options) : await loadSessions(options)).load(...graph);
    },
  };
}
