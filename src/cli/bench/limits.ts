import type { BertConfig } from "../../bert/config.ts";
import { linearProducts } from "../../bert/products.ts";
import { add, input, sumRows } from "../../graph/build.ts";
import type { Executor, LoadOptions, TimedCall } from "../../graph/executor.ts";
import { makeGraph } from "../../graph/graph.ts";
import { Parameters } from "../../graph/parameters.ts";
import { measureProducts } from "../../train/ceiling.ts";
import type { Limits } from "./report.ts";

const ROUNDS = 5;
/** A matrix that no cache holds, 61 MB, as wide as BERT-base. */
const [ROWS, COLUMNS] = [20_000, 768];

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

/**
 * Bytes read and written a second, the more of two passes: the sums of a long matrix's columns, which only reads, and the
 * sum of two such matrices, which writes as well, and before that has memory read what it overwrites. Unknown where
 * kernels are not timed.
 */
async function bandwidth(executor: Executor): Promise<number | undefined> {
  const shape = [ROWS, COLUMNS] as const;
  const [a, b] = [input("a", "float32", shape), input("b", "float32", shape)];
  const graph = makeGraph({ columns: sumRows(a), sum: add(a, b) });
  const executable = await executor.load(graph, new Parameters([]));
  const filled = () => new Float32Array(ROWS * COLUMNS).fill(1); // zeros may have no memory yet
  const inputs = { a: { data: filled(), shape }, b: { data: filled(), shape } };
  const outputs = { columns: new Float32Array(COLUMNS), sum: filled() };
  const calls: TimedCall[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await executable.run(inputs, { outputs, onCalls: (more) => calls.push(...more) });
      if (calls.length === 0) return undefined;
    }
    return Math.max(...calls.map(({ bytes, seconds }) => bytes / seconds));
  } finally {
    await executable.dispose();
  }
}
