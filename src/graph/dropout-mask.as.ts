/**
 * The inner loop of `dropout-mask.ts`, in AssemblyScript: Philox4x32-10 on four counters at once, one in each lane.
 * Factors are written from address 0 of the module's memory on, from where `dropout-mask.ts` copies them.
 *
 * `tsc` does not see this file. Its compiled form is `dropout-mask.wasm.ts`; `dropout-mask.as.test.ts` holds the two
 * equal and says how to compile anew.
 */

const VECTOR: usize = 16; // bytes
/** The eight factors that one counter serves. */
const COUNTER: usize = 2 * VECTOR;

/**
 * Writes `length` factors, those of the key (seed, site) from counter `first` on: `kept` where a half is at least
 * `threshold`, else 0. Four counters make 32 factors, so it may reach past `length` to the next multiple of 32.
 */
export function fill(length: usize, first: u32, seed: u32, site: u32, threshold: u16, kept: f32): void {
  const end = length * sizeof<f32>();
  let counters = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  for (let to: usize = 0; to < end; to += 4 * COUNTER) {
    let c0 = counters;
    let c1 = i32x4.splat(0);
    let c2 = i32x4.splat(0);
    let c3 = i32x4.splat(0);
    let k0 = i32x4.splat(seed);
    let k1 = i32x4.splat(site);
    for (let round = 0; round < 10; round++) {
      const low0 = i64x2.extmul_low_i32x4_u(c0, i32x4.splat(0xd2511f53));
      const high0 = i64x2.extmul_high_i32x4_u(c0, i32x4.splat(0xd2511f53));
      const low1 = i64x2.extmul_low_i32x4_u(c2, i32x4.splat(0xcd9e8d57));
      const high1 = i64x2.extmul_high_i32x4_u(c2, i32x4.splat(0xcd9e8d57));
      // The product comes last: the other two have long been there.
      c0 = v128.xor(v128.xor(c1, k0), upperHalves(low1, high1));
      c1 = lowerHalves(low1, high1);
      c2 = v128.xor(v128.xor(c3, k1), upperHalves(low0, high0));
      c3 = lowerHalves(low0, high0);
      k0 = i32x4.add(k0, i32x4.splat(0x9e3779b9));
      k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
    }
    // Lane j of all four vectors belongs to counter j, whose words shall lie side by side: a transposed 4 x 4 matrix.
    const a = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
    const b = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
    const c = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
    const d = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
    storeFactors(to, v128.shuffle<i64>(a, b, 0, 2), threshold, kept);
    storeFactors(to + COUNTER, v128.shuffle<i64>(a, b, 1, 3), threshold, kept);
    storeFactors(to + 2 * COUNTER, v128.shuffle<i64>(c, d, 0, 2), threshold, kept);
    storeFactors(to + 3 * COUNTER, v128.shuffle<i64>(c, d, 1, 3), threshold, kept);
    counters = i32x4.add(counters, i32x4.splat(4));
  }
}

/** Of four products of 64 bits. */
function lowerHalves(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 0, 2, 4, 6);
}

/** Of four products of 64 bits. */
function upperHalves(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/** The factors of the eight halves of one counter's words. */
function storeFactors(to: usize, halves: v128, threshold: u16, kept: f32): void {
  const isKept = i16x8.ge_u(halves, i16x8.splat(threshold)); // all bits of a lane, or none
  v128.store(to, v128.and(i32x4.extend_low_i16x8_s(isKept), f32x4.splat(kept)));
  v128.store(to, v128.and(i32x4.extend_high_i16x8_s(isKept), f32x4.splat(kept)), VECTOR);
}
