/** Probabilities, computed in float64 from logits of any size without overflow. */
export function softmax(logits: Iterable<number>): Float32Array {
  const values = Float64Array.from(logits);
  const largest = values.reduce((a, b) => Math.max(a, b));
  const exponentials = values.map((value) => Math.exp(value - largest));
  const total = exponentials.reduce((a, b) => a + b);
  return Float32Array.from(exponentials, (value) => value / total);
}

/** log Σ exp(logit): a logit less this is the logarithm of its probability. */
export function logSumExp(logits: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - largest);
  return largest + Math.log(total);
}
