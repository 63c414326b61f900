/** How the features of a sequence's tokens become those of the sequence. */
export type Pooling = (typeof POOLINGS)[number];

/**
 * - `cls`: the first token's, which is [CLS] (Devlin et al. 2019).
 * - `mean`, `max`: over all tokens, [CLS] and [SEP] among them, as sentence-transformers does (Reimers and Gurevych
 *   2019).
 */
export const POOLINGS = ["cls", "mean", "max"] as const;

export function isPooling(name: string): name is Pooling {
  return POOLINGS.some((pooling) => pooling === name);
}

/** Pools the rows of a matrix: [S, W] -> [W], of one row at least. Sums are taken in float64 and rounded once. */
export function pool(rows: Float32Array, width: number, pooling: Pooling): Float32Array {
  const first = rows.slice(0, width);
  if (pooling === "cls") return first;
  return pooling === "max" ? largest(rows, first) : mean(rows, width);
}

function mean(rows: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) sums[i] += rows[start + i];
  }
  return Float32Array.from(sums, (sum) => sum / (rows.length / width));
}

function largest(rows: Float32Array, result: Float32Array): Float32Array {
  const width = result.length;
  for (let start = width; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) result[i] = Math.max(result[i], rows[start + i]);
  }
  return result;
}

/** Divides each row of a matrix [R, W] by its Euclidean length, in place. A row of zeros has no direction and stays. */
export function normalizeRows(rows: Float32Array, width: number): void {
  for (let start = 0; start < rows.length; start += width) {
    let squares = 0;
    for (let i = start; i < start + width; i++) squares += rows[i] ** 2;
    if (squares === 0) continue;
    const length = Math.sqrt(squares);
    for (let i = start; i < start + width; i++) rows[i] /= length;
  }
}
