import { parentPort } from "node:worker_threads";
import { ClozeError } from "../../base/errors.ts";
import { loadSessions } from "./load-sessions.node.ts";
import type { OnnxSession } from "./session.ts";
import type { WorkerReply, WorkerRequest } from "./worker.node.ts";

/** The other end of worker.node.ts: holds one session and answers one request at a time. */
let session: OnnxSession | undefined;

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    if (request.kind === "open") {
      session = await (await loadSessions(request.options))(request.model);
      return { kind: "done", results: {} };
    }
    if (session === undefined)
      throw new ClozeError("INTERNAL", { problem: "a run came before its session was opened" });
    const outputs = Object.fromEntries(request.outputs.map((name) => [name, null]));
    return { kind: "done", results: await session.run(request.inputs, outputs) };
  } catch (error) {
    if (!(error instanceof ClozeError))
      return { kind: "failed", code: "INTERNAL", details: { problem: String(error) } };
    const { code, problem, expected, received, cure } = error;
    return { kind: "failed", code, details: { problem, expected, received, cure } };
  }
}

parentPort?.on("message", async (request: WorkerRequest) => parentPort?.postMessage(await answer(request)));
