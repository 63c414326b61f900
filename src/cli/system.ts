import { availableParallelism, cpus, totalmem } from "node:os";
import {
  type ExecutorOptions,
  isUnavailable,
  nativeInstructionSets,
  openExecutor,
  type Precision,
} from "../executors/executor.node.ts";
import { measureCeiling } from "../train/ceiling.ts";
import { formatTable } from "./metrics.ts";

/** What this machine computes with. */
export interface System {
  readonly platform: string;
  readonly node: string;
  readonly processor: string;
  readonly threads: number;
  /** In bytes. */
  readonly memory: number;
  readonly executors: { readonly native: Native | Missing; readonly onnx: Ceilings | Missing };
}

interface Native extends Ceilings {
  /** What the kernels can use of the processor, the best one first, and the products that each of them has. */
  readonly instructionSets: readonly { readonly name: string; readonly products: readonly string[] }[];
  /** The one that computes. */
  readonly instructionSet: string;
}

/** Operations a second of matrix products in these numbers. */
interface Ceilings {
  readonly flopPerSecond: { readonly float32: number; readonly bfloat16?: number };
  /** Of 8-bit integers. */
  readonly opPerSecond?: { readonly int8: number };
}

interface Missing {
  readonly missing: string;
}

/** A feed-forward layer of BERT-base on 1024 tokens. */
const PRODUCT = { rows: 1024, inner: 768, columns: 3072, count: 1 };

/** Finds executors and measures what matrix products on all threads reach. Throws OPTION_INVALID for a wrong CLOZE_ISA. */
export async function inspectSystem(): Promise<System> {
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? "unknown", // some systems tell nothing of it
    threads: availableParallelism(),
    memory: totalmem(),
    executors: {
      native: await unlessMissing(inspectNative),
      onnx: await unlessMissing(async () => ({ flopPerSecond: { float32: await ceiling({ device: "onnx" }) } })),
    },
  };
}

async function unlessMissing<T>(inspect: () => Promise<T>): Promise<T | Missing> {
  try {
    return await inspect();
  } catch (error) {
    if (isUnavailable(error)) return { missing: error.message };
    throw error;
  }
}

async function inspectNative(): Promise<Native> {
  const { all, chosen } = nativeInstructionSets();
  const on = (precision: Precision) => ceiling({ device: "cpu", precision });
  return {
    instructionSets: all.map(({ name, bfloat16, int8 }) => ({
      name,
      products: ["float32", ...(bfloat16 ? ["bfloat16"] : []), ...(int8 ? ["int8"] : [])],
    })),
    instructionSet: chosen.name,
    flopPerSecond: { float32: await on("fp32"), ...(chosen.bfloat16 ? { bfloat16: await on("bf16") } : {}) },
    ...(chosen.int8 ? { opPerSecond: { int8: await on("int8") } } : {}),
  };
}

async function ceiling(options: ExecutorOptions): Promise<number> {
  const frozen = options.precision === "int8"; // no other weights are of integers
  return measureCeiling(await openExecutor(options, "inference"), [PRODUCT], { frozen });
}

/** The same for people. */
export function formatSystem({ platform, node, processor, threads, memory, executors }: System): string {
  const { native, onnx } = executors;
  const found = "missing" in native ? undefined : native;
  const fields = [
    ["system", `${platform}, Node ${node}`],
    ["processor", processor],
    ["threads", String(threads)],
    ["memory", `${(memory / 2 ** 30).toFixed(1)} GiB`],
    ...(found ? [["instruction sets", found.instructionSets.map(describeSet).join(", ")]] : []),
  ];
  const table = [
    ["executor", "float32", "bfloat16", "int8"],
    ...(found ? [[`native, ${found.instructionSet}`, ...speeds(found)]] : []),
    ...("missing" in onnx ? [] : [["onnx", ...speeds(onnx)]]),
  ];
  const { rows, inner, columns } = PRODUCT;
  return [
    fields.map(([name, value]) => `${name.padEnd(16)}  ${value}`).join("\n"),
    formatTable(table),
    `GFLOP/s of products of ${rows} x ${inner} x ${columns} and of their gradients, for native without the packing of weights;\n` +
      "int8: Gop/s of the product alone. A GPU is looked for when --device webgpu or auto asks for one.",
    ...("missing" in native ? [`no native executor: ${native.missing}`] : []),
    ...("missing" in onnx ? [`no onnx executor: ${onnx.missing}`] : []),
  ].join("\n\n");
}

function describeSet({ name, products }: Native["instructionSets"][number]): string {
  return `${name} (${products.join(", ")})`;
}

function speeds({ flopPerSecond: { float32, bfloat16 }, opPerSecond }: Ceilings): string[] {
  return [float32, bfloat16, opPerSecond?.int8].map((speed) => (speed === undefined ? "-" : (speed / 1e9).toFixed(1)));
}
