import { Random } from "../base/random.ts";

export interface BatchPlan {
  readonly batchSize: number;
  readonly seed: number;
  readonly epoch: number;
}

/** Batches whose lengths are sorted together: long enough to make lengths alike, short enough to keep chance. */
const POOL_BATCHES = 50;

/**
 * The batches of one epoch, as indices of examples: every example once, in random order, but with sequences of like
 * length together, since ONNX Runtime's attention pads within a batch. Pools of 50 batches are drawn, sorted by length and cut;
 * then the order of batches is shuffled. A function of lengths, seed and epoch alone. The last batch may be smaller.
 */
export function planBatches(lengths: ArrayLike<number>, { batchSize, seed, epoch }: BatchPlan): Int32Array[] {
  const random = Random.of(seed, "batches", epoch);
  const order = random.shuffle(Int32Array.from({ length: lengths.length }, (_, i) => i));
  const poolSize = batchSize * POOL_BATCHES;
  for (let start = 0; start < order.length; start += poolSize) {
    const pool = order.subarray(start, start + poolSize);
    pool.set([...pool].sort((a, b) => lengths[a] - lengths[b])); // a stable sort: ties stay in random order
  }
  const batches = Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.subarray(i * batchSize, (i + 1) * batchSize),
  );
  return random.shuffle(batches);
}

/**
 * Batches for prediction: indices sorted by length, cut where a batch is full of sequences or of tokens. Order and size
 * do not change what comes out, so they are chosen for speed alone.
 */
export function batchesByLength(
  lengths: ArrayLike<number>,
  { maxSequences, maxTokens }: { maxSequences: number; maxTokens: number },
): Int32Array[] {
  const order = Int32Array.from({ length: lengths.length }, (_, i) => i).sort((a, b) => lengths[a] - lengths[b]);
  const batches: Int32Array[] = [];
  let start = 0;
  let tokens = 0;
  for (let i = 0; i < order.length; i++) {
    const length = lengths[order[i]];
    if (i > start && (i - start === maxSequences || tokens + length > maxTokens)) {
      batches.push(order.subarray(start, i));
      start = i;
      tokens = 0;
    }
    tokens += length;
  }
  if (start < order.length) batches.push(order.subarray(start));
  return batches;
}
