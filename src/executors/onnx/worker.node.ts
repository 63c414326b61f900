import { Worker } from "node:worker_threads";
import { ClozeError, type ErrorCode, type ErrorDetails } from "../../base/errors.ts";
import type { OnnxSession, OnnxValue, OpenSession, SessionOptions } from "./session.ts";

/** What a session asks of its thread (session-thread.node.ts). */
export type WorkerRequest =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly options: SessionOptions }
  | {
      readonly kind: "run";
      readonly inputs: Readonly<Record<string, OnnxValue>>;
      readonly outputs: readonly string[];
    };

/** What the thread answers, one reply for each request. */
export type WorkerReply =
  | { readonly kind: "done"; readonly results: Readonly<Record<string, OnnxValue>> }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly details: ErrorDetails };

/** Sessions that each compute on a thread of their own; inputs and outputs are copied to and fro. */
export function workerSessions(options: SessionOptions): OpenSession {
  return async (model) => {
    const thread = new SessionThread();
    try {
      await thread.ask({ kind: "open", model, options });
    } catch (error) {
      await thread.end();
      throw error;
    }
    return sessionOn(thread);
  };
}

function sessionOn(thread: SessionThread): OnnxSession {
  return {
    async run(inputs, outputs) {
      const results = await thread.ask({ kind: "run", inputs, outputs: Object.keys(outputs) });
      for (const [name, target] of Object.entries(outputs)) target?.data.set(results[name].data);
      return results;
    },
    release: () => thread.end(),
  };
}

type Results = Readonly<Record<string, OnnxValue>>;

/** A thread that is asked one thing at a time, as executables make one run after another. */
class SessionThread {
  readonly #worker = new Worker(new URL("./session-thread.node.js", import.meta.url));
  #asked: { readonly resolve: (results: Results) => void; readonly reject: (error: unknown) => void } | undefined;
  /** Why the thread ended; undefined while it lives. */
  #failure: unknown;

  constructor() {
    this.#worker.unref(); // a program may end without dispose()
    this.#worker.on("message", (reply: WorkerReply) => {
      const asked = this.#asked;
      this.#asked = undefined;
      this.#worker.unref();
      if (reply.kind === "done") asked?.resolve(reply.results);
      else asked?.reject(new ClozeError(reply.code, reply.details));
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new ClozeError("INTERNAL", { problem: "the thread of a session ended" })));
  }

  async ask(request: WorkerRequest): Promise<Results> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#worker.postMessage(request); // throws for memory that is gone
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown) {
    this.#failure ??= error;
    this.#asked?.reject(this.#failure);
  }
}
