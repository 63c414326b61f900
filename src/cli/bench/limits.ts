import type { BertConfig } from "../../bert/config.ts";
import { linearProducts } from "../../bert/products.ts";
import { add, input } from "../../graph/build.ts";
import { type Executor, vector } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { measureCeiling } from "../../train/ceiling.ts";
import type { Limits } from "./report.ts";
import type { Timed } from "./timed-executor.ts";

const ROUNDS = 5;
/** Numbers of an array that no cache holds: 64 MiB. */
const LENGTH = 2 ** 24;

/** What the machine can do at best, measured as the run itself is. */
export async function measureLimits(timed: Timed, config: BertConfig, lengths: readonly number[]): Promise<Limits> {
  const flopPerSecond = await fastestProduct(timed, config, lengths);
  return timed.missing === undefined ? { flopPerSecond, bytesPerSecond: await bandwidth(timed) } : { flopPerSecond };
}

/** Of the encoder's sizes in their three forms. Kernels are timed alone, without what it takes to call them. */
async function fastestProduct(timed: Timed, config: BertConfig, lengths: readonly number[]): Promise<number> {
  let best = 0;
  for (const product of linearProducts(config, { lengths, masked: 0 })) {
    if (product.rows === 0) continue; // the masked-LM head's
    const withCalls = await measureCeiling(timed.executor, [product]);
    const products = timed.takeCalls().filter(({ family }) => family === "products");
    best = Math.max(best, withCalls, ...products.map(({ flop, seconds }) => flop / seconds));
  }
  return best;
}

/** Bytes read and written a second when two long arrays are added. */
async function bandwidth({ executor, takeCalls }: Timed): Promise<number> {
  await addLongArrays(executor);
  return Math.max(...takeCalls().map(({ bytes, seconds }) => bytes / seconds));
}

async function addLongArrays(executor: Executor): Promise<void> {
  const sum = add(input("a", "float32", [LENGTH]), input("b", "float32", [LENGTH]));
  const executable = await executor.load(makeGraph({ sum }), new Parameters([]));
  const [a, b, out] = Array.from({ length: 3 }, () => new Float32Array(LENGTH).fill(1)); // filled: zeros may have no memory yet
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await executable.run({ a: vector(a), b: vector(b) }, { outputs: { sum: out } });
    }
  } finally {
    await executable.dispose();
  }
}
