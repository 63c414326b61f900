/**
 * The optimizer's inner loops, in AssemblyScript: four float32 lanes at a time, on the WebAssembly module's own memory.
 *
 * The memory, which `kernels.ts` provides, begins with two slots of 64 KiB, one block of 16,384 elements each: slot 0 is
 * worked on, slot 1 only read. Blocks are copied in and out. Behind the slots lie AdamW's moments, all of them. Every loop
 * runs over whole vectors, so it may read past `length` to the next multiple of eight elements, never past a slot.
 *
 * `tsc` does not see this file. Its compiled form is `kernels.wasm.ts`; `kernels.as.test.ts` holds the two equal and says
 * how to compile anew.
 */

const SLOT: usize = 64 * 1024; // bytes
const VECTOR: usize = 16; // bytes

/**
 * AdamW on slot 0 (parameters) and slot 1 (gradients), with the first and second moments at the addresses `ms` and `vs`.
 * See `AdamWCoefficients`. The last vector may change moments behind the range: they are put back.
 */
export function adamw(
  length: usize,
  ms: usize,
  vs: usize,
  gradientScale: f32,
  rate1: f32,
  rate2: f32,
  rootScale: f32,
  epsilon: f32,
  stepSize: f32,
  decay: f32,
): void {
  const end = length * sizeof<f32>();
  const msBehind = v128.load(ms + end);
  const vsBehind = v128.load(vs + end);
  for (let i: usize = 0; i < end; i += VECTOR) {
    const p = v128.load(i);
    const g = f32x4.mul(v128.load(i, SLOT), f32x4.splat(gradientScale));
    const m = flush(approach(v128.load(ms + i), g, rate1));
    const v = flush(approach(v128.load(vs + i), f32x4.mul(g, g), rate2));
    const root = f32x4.mul(f32x4.sqrt(v), f32x4.splat(rootScale));
    const direction = f32x4.div(m, f32x4.add(root, f32x4.splat(epsilon)));
    const change = f32x4.add(f32x4.mul(direction, f32x4.splat(stepSize)), f32x4.mul(p, f32x4.splat(decay)));
    v128.store(i, f32x4.sub(p, change));
    v128.store(ms + i, m);
    v128.store(vs + i, v);
  }
  v128.store(ms + end, msBehind);
  v128.store(vs + end, vsBehind);
}

/** The sum of the squares of slot 1, in float64. What lies behind `length` must be zero. */
export function sumOfSquares(length: usize): f64 {
  const end = length * sizeof<f32>();
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  for (let i: usize = 0; i < end; i += 2 * VECTOR) {
    const x = v128.load(i, SLOT);
    const y = v128.load(i, SLOT + VECTOR);
    a = f64x2.add(a, lowerSquares(x));
    b = f64x2.add(b, upperSquares(x));
    c = f64x2.add(c, lowerSquares(y));
    d = f64x2.add(d, upperSquares(y));
  }
  const sums = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/** Slot 0 += slot 1. */
export function add(length: usize): void {
  const end = length * sizeof<f32>();
  for (let i: usize = 0; i < end; i += VECTOR) {
    v128.store(i, f32x4.add(v128.load(i), v128.load(i, SLOT)));
  }
}

/** x + (target - x) * rate: an exponential moving average that rounds `x` once. */
function approach(x: v128, target: v128, rate: f32): v128 {
  return f32x4.add(x, f32x4.mul(f32x4.sub(target, x), f32x4.splat(rate)));
}

/**
 * Zero where |x| < 1e-30; NaN stays. Without it the moments of parameters whose gradients have become zero (words that
 * the data lacks) fade into subnormal numbers, where rounding holds them for ever and x86 is twenty times slower.
 */
function flush(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(1e-30)));
}

function lowerSquares(x: v128): v128 {
  const wide = f64x2.promote_low_f32x4(x);
  return f64x2.mul(wide, wide);
}

function upperSquares(x: v128): v128 {
  return lowerSquares(v128.shuffle<i32>(x, x, 2, 3, 0, 1));
}
