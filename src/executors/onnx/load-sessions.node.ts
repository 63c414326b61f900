import { ClozeError } from "../../base/errors.ts";
import type { OpenSession, SessionOptions } from "./session.ts";

/**
 * Sessions of onnxruntime-node on the calling thread. It has binaries for Linux with glibc, Windows and Macs with processors by
 * Apple. Throws DEVICE_UNAVAILABLE elsewhere.
 */
export async function loadSessions(options: SessionOptions): Promise<OpenSession> {
  const { nodeSessions } = await import("./node-sessions.node.ts").catch((cause) => {
    throw new ClozeError("DEVICE_UNAVAILABLE", {
      problem: "ONNX Runtime cannot be loaded",
      received: String(cause).split("\n")[0],
      cure: "Where it has no binary for the system, build the native kernels: npm rebuild cloze.",
      cause,
    });
  });
  return nodeSessions(options);
}
