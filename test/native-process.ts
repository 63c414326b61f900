/**
 * What native-misuse.test.ts and native-stress.slow.test.ts run in processes of their own, as a fault would end one: prints
 * what came of a scenario.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { nativeExecutor } from "../src/executors/native/executor.node.ts";
import { attention, gather, input, linear, matmul, parameter } from "../src/graph/build.ts";
import { type Value, vector } from "../src/graph/executor.ts";
import { makeGraph } from "../src/graph/graph.ts";
import { initialise, Parameters } from "../src/graph/parameters.ts";
import { longRun, smallRun } from "./native-runs.ts";

/** A linear layer [T, 4] -> [T, 3], the parameters that it wants, and an input for it. */
function layer() {
  const x = input("x", "float32", ["T", 4]);
  const y = linear(x, parameter("weight", [3, 4], "normal"), parameter("bias", [3], "normal"));
  const inputs: Record<string, Value> = { x: { data: new Float32Array(8).fill(0.5), shape: [2, 4] } };
  return { graph: makeGraph({ y }), inputs };
}

/** The code of the error that something throws, its name if it has none; "done" if it throws none. */
async function outcome(work: () => Promise<unknown> | unknown): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return "code" in error ? String(error.code) : `${error.name}: ${error.message}`;
  }
}

/** What an error says that it follows from. */
async function causeOf(work: () => Promise<unknown>): Promise<string> {
  const error: unknown = await work().catch((reason: unknown) => reason);
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : "no cause";
}

function comparison(actual: Value, expected: Value): string {
  const same = Buffer.from(actual.data.buffer).equals(Buffer.from(expected.data.buffer));
  return same ? "then as before" : "then other numbers";
}

/** Milliseconds after which something happens, where the command line says it. */
const MOMENT = Number(process.argv[3] ?? 20);

/** A thread of Node loads the kernels, and is ended so long after its run began. */
async function endThread(milliseconds: number): Promise<void> {
  const program = new URL("./native-worker.ts", import.meta.url).href;
  const script = `import("tsx/esm/api").then(({ tsImport }) => tsImport("${program}", "${import.meta.url}"))`;
  const worker = new Worker(script, { eval: true, workerData: "long" });
  await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
  await pause(milliseconds);
  await worker.terminate();
}

function threadsOfProcess(): number {
  return readdirSync("/proc/self/task").length;
}

/** Lets this process have so many bytes of addresses more than it has. */
function limitMemory(more: number): void {
  const [, used] = /^VmSize:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))!;
  const limit = more < Infinity ? 1024 * Number(used) + more : "unlimited";
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(process.pid), `--as=${limit}:`], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

/** Attention of two heads of one number, inside short sequences and inside a long one of as many tokens. */
async function attentionRuns(threads: number) {
  const [tokens, width, sequence] = [2 ** 22, 2, 16];
  const [query, key, value] = ["query", "key", "value"].map((name) => input(name, "float32", ["T", width]));
  const y = attention({ query, key, value, lengths: input("lengths", "int32", ["B"]) }, { heads: 2 });
  const executable = await nativeExecutor({ threads }).load(makeGraph({ y }), new Parameters([]));
  const data = Float32Array.from({ length: tokens * width }, (_, i) => (i % 1021) / 1021);
  const x: Value = { data, shape: [tokens, width] };
  const run = async (lengths: Int32Array) => {
    const { y } = await executable.run({ query: x, key: x, value: x, lengths: vector(lengths) });
    return y;
  };
  return {
    short: () => run(new Int32Array(tokens / sequence).fill(sequence)),
    long: () => run(Int32Array.of(1, 1, tokens - 3, 1)),
  };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const SCENARIOS: Readonly<Record<string, () => Promise<string>>> = {
  async "a run after the disposal"() {
    const { graph, inputs } = layer();
    const parameters = new Parameters(graph.parameters);
    const executable = await nativeExecutor().load(graph, parameters, { frozen: true });
    await executable.run(inputs);
    await executable.dispose();
    return outcome(() => executable.run(inputs));
  },

  async "ids that change during the run"() {
    const [tokens, width] = [2048, 512];
    const ids = new Int32Array(tokens).fill(3);
    let x = input("x", "float32", ["T", width]);
    for (let i = 0; i < 20; i++) x = matmul(x, parameter(`weight${i}`, [width, width], "zeros"));
    const y = gather(parameter("table", [5, 2], "normal"), input("ids", "int32", ["T"]));
    const graph = makeGraph({ x, y });
    const parameters = new Parameters(graph.parameters);
    initialise(parameters, 1, 1);
    const executable = await nativeExecutor().load(graph, parameters);
    const run = executable.run({
      x: { data: new Float32Array(tokens * width), shape: [tokens, width] },
      ids: vector(ids),
    });
    await pause(1);
    ids.fill(100_000_000);
    const { y: rows } = await run;
    const row = parameters.get("table").data.subarray(6, 8);
    return rows.data.every((number, i) => number === row[i % 2]) ? "the rows that were asked for" : "other rows";
  },

  async "parameters of other shapes"() {
    const { graph, inputs } = layer();
    const parameters = new Parameters([
      { name: "weight", shape: [1, 2], initial: "ones" },
      { name: "bias", shape: [3], initial: "zeros" },
    ]);
    return outcome(async () => (await nativeExecutor().load(graph, parameters)).run(inputs));
  },

  async "no number of threads"() {
    const codes = [];
    for (const threads of [0, 1.5, Number.NaN, -1]) codes.push(await outcome(() => nativeExecutor({ threads })));
    return codes.join(", ");
  },

  async "a thread that is ended in the middle of a run"() {
    for (let repetition = 0; repetition < 2; repetition++) await endThread(10 * repetition);
    const { loss } = await smallRun(nativeExecutor({ threads: 2 }));
    return loss.data[0] > 1 ? "the others go on" : "the others stop";
  },

  async "an end in the middle of a run"() {
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 3 }));
    void executable.run(inputs);
    await pause(MOMENT);
    console.log("left");
    process.exit(0);
  },

  async "nothing left to do but runs"() {
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 3 }));
    process.once("exit", () => console.log("the runs have ended"));
    for (let i = 0; i < 8; i++) void executable.run(inputs);
    return "all was said";
  },

  async "many threads that are ended in the middle of runs"() {
    const executor = nativeExecutor({ threads: 2 });
    await endThread(5); // so that what Node keeps is there
    const before = threadsOfProcess();
    for (let repetition = 0; repetition < 24; repetition++) await endThread(5 * (repetition % 12));
    await smallRun(executor);
    const after = threadsOfProcess();
    return after > before ? `${after - before} threads more` : "no thread is left over";
  },

  async "too little memory"() {
    const { executable, inputs } = await longRun(nativeExecutor({ threads: 2 }));
    const { data } = inputs.x;
    const rows = 200 * inputs.x.shape[0]; // for an arena of gigabytes
    const wide = { x: { data: new Float32Array(rows * 1024), shape: [rows, 1024] } };
    const { x: expected } = await executable.run(inputs);
    limitMemory(2 ** 30 + 2 * data.byteLength);
    const codes = [
      await outcome(() => executable.run(wide)),
      await outcome(() => nativeExecutor({ threads: 1000 })),
      await outcome(() => executable.run(wide)),
    ];
    limitMemory(Infinity);
    const { x: actual } = await executable.run(inputs);
    return [...codes, comparison(actual, expected)].join(", ");
  },

  /** Arena, inputs and outputs are as large as those of the run before; a task of the kernel wants half a gigabyte more. */
  async "too little memory for a kernel"() {
    const told = [];
    for (const threads of [1, 3]) {
      const { short, long } = await attentionRuns(threads);
      const expected = await short();
      limitMemory(2 ** 28);
      told.push(await outcome(long), await causeOf(long), comparison(await short(), expected));
      limitMemory(Infinity);
    }
    return told.join(", ");
  },
};

console.log(await SCENARIOS[process.argv[2]]());
