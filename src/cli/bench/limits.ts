import type { BertConfig } from "../../bert/config.ts";
import { linearProducts } from "../../bert/products.ts";
import { add, input } from "../../graph/build.ts";
import { type Executor, type LoadOptions, type TimedCall, vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { measureProducts } from "../../train/ceiling.ts";
import type { Limits } from "./report.ts";

const ROUNDS = 5;
/** Numbers of an array that no cache holds: 64 MiB. */
const LENGTH = 2 ** 24;

/** What the machine can do at best, measured with the executor of the run itself. */
export async function measureLimits(
  executor: Executor,
  config: BertConfig,
  lengths: readonly number[],
  options: LoadOptions,
): Promise<Limits> {
  const flopPerSecond = await fastestProduct(executor, config, lengths, options);
  return { flopPerSecond, bytesPerSecond: await bandwidth(executor) };
}

/** Of the encoder's sizes in their three forms; of frozen weights in the one that inference has. */
async function fastestProduct(
  executor: Executor,
  config: BertConfig,
  lengths: readonly number[],
  options: LoadOptions,
): Promise<number> {
  const products = linearProducts(config, { lengths, masked: 0 }).filter(({ rows }) => rows > 0);
  const times = await measureProducts(executor, products, options);
  return Math.max(...times.map(({ flop, seconds }) => flop / seconds));
}

/** Bytes read and written a second when two long arrays are added; unknown where kernels are not timed. */
async function bandwidth(executor: Executor): Promise<number | undefined> {
  const calls: TimedCall[] = [];
  const sum = add(input("a", "float32", [LENGTH]), input("b", "float32", [LENGTH]));
  const executable = await executor.load(makeGraph({ sum }), new Parameters([]));
  const [a, b, out] = Array.from({ length: 3 }, () => new Float32Array(LENGTH).fill(1)); // filled: zeros may have no memory yet
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const onCalls = (more: readonly TimedCall[]) => calls.push(...more);
      await executable.run({ a: vector(a), b: vector(b) }, { outputs: { sum: out }, onCalls });
      if (calls.length === 0) return undefined;
    }
    return Math.max(...calls.map(({ bytes, seconds }) => bytes / seconds));
  } finally {
    await executable.dispose();
  }
}
