import { parentPort } from "node:worker_threads";
import { ClozeError } from "../../base/errors.ts";
import { nodeSessions } from "./node-sessions.node.ts";
import type { OnnxSession } from "./session.ts";
import type { WorkerReply, WorkerRequest } from "./worker.node.ts";

/** The other end of worker.node.ts: holds one session and answers requests in order. */
let session: OnnxSession | undefined;

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    if (request.kind === "open") {
      session = await nodeSessions(request.options)(request.model);
      return { kind: "done", results: {} };
    }
    const results = await session?.run(request.inputs, Object.fromEntries(request.outputs.map((name) => [name, null])));
    return { kind: "done", results: results ?? {} };
  } catch (error) {
    if (!(error instanceof ClozeError))
      return { kind: "failed", code: "INTERNAL", details: { problem: String(error) } };
    const { code, problem, expected, received, cure } = error;
    return { kind: "failed", code, details: { problem, expected, received, cure } };
  }
}

/** Each request waits for the one before: replies are told apart by their order alone. */
let last = Promise.resolve();
parentPort?.on("message", (request: WorkerRequest) => {
  last = last.then(async () => parentPort?.postMessage(await answer(request)));
});
