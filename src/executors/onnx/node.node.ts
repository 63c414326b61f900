import type { Executor } from "../../graph/executor.ts";
import type { OpenSession, SessionOptions } from "./session.ts";
import { workerSessions } from "./worker.node.ts";

export interface OnnxOptions extends SessionOptions {
  /** Compute on a thread of its own, so that the caller's event loop stays free. Default false. */
  readonly worker?: boolean;
}

/**
 * The executor on onnxruntime-node, which is loaded with the first graph: that takes longer than other kernels take to answer.
 * Throws DEVICE_UNAVAILABLE when it loads a graph for a device that is not there.
 */
export function onnxExecutor({ worker = false, device = "cpu", threads }: OnnxOptions = {}): Executor {
  const name = `onnx ${device}`;
  const options = { device, threads };
  return {
    name,
    async load(...graph) {
      const { makeOnnxExecutor } = await import("./executor.ts");
      return makeOnnxExecutor(name, worker ? workerSessions(options) : await sessionsHere(options)).load(...graph);
    },
  };
}

async function sessionsHere(options: SessionOptions): Promise<OpenSession> {
  const { nodeSessions } = await import("./node-sessions.node.ts");
  return nodeSessions(options);
}
