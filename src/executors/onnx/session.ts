/** What ONNX Runtime calls the part of it that computes. */
export type ExecutionProvider = "cpu" | "webgpu";

export interface SessionOptions {
  /** Default `cpu`. */
  readonly device?: ExecutionProvider;
  /** Threads of one run; default: all cores. */
  readonly threads?: number;
}

/** Numbers as they go into and come out of a session. */
export interface OnnxValue {
  readonly type: "float32" | "int32";
  readonly data: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

/** The part of ONNX Runtime that the executor needs. Entry points supply it: Node, a Node worker, a browser. */
export interface OnnxSession {
  /** Runs the model; outputs that are given as values are written in place. */
  run(
    inputs: Readonly<Record<string, OnnxValue>>,
    outputs: Readonly<Record<string, OnnxValue | null>>,
  ): Promise<Readonly<Record<string, OnnxValue>>>;
  release(): Promise<void>;
}

export type OpenSession = (model: Uint8Array) => Promise<OnnxSession>;
