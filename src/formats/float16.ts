/** IEEE 754 binary16 and bfloat16, by their bits. */

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The value of each of the 65,536 binary16 numbers, made when first needed. */
let binary16: Float32Array | undefined;

/** Widens binary16 numbers exactly, infinities, NaN and subnormals included; `to` has as many elements. */
export function widenFloat16(bits: Uint16Array, to: Float32Array): void {
  binary16 ??= Float32Array.from({ length: 1 << 16 }, (_, pattern) => float16Value(pattern));
  for (let i = 0; i < bits.length; i++) to[i] = binary16[bits[i]];
}

function float16Value(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >>> 10) & 0x1f;
  const fraction = pattern & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent < 31) return sign * (1024 + fraction) * 2 ** (exponent - 25);
  return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
}

/** Widens bfloat16 numbers, which are the upper halves of float32 numbers; `to` has as many elements. */
export function widenBfloat16(bits: Uint16Array, to: Float32Array): void {
  for (let i = 0; i < bits.length; i++) {
    word[0] = bits[i] << 16;
    to[i] = float[0];
  }
}

/** Narrows to binary16, rounding to the nearest and ties to even; what is too large becomes infinite. */
export function narrowToFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    float[0] = values[i];
    const magnitude = Math.abs(values[i]);
    bits[i] = ((word[0] >>> 16) & 0x8000) | magnitudeBits(magnitude, (word[0] >>> 23) & 0xff);
  }
  return bits;
}

/** The lower 15 bits of the binary16 number nearest to a float32 number without its sign. */
function magnitudeBits(magnitude: number, exponent: number): number {
  if (Number.isNaN(magnitude)) return 0x7e00;
  if (magnitude >= 65520) return 0x7c00; // half-way between the largest, 65504, and what would come next
  if (magnitude < 2 ** -14) return roundHalfEven(magnitude * 2 ** 24);
  return ((exponent - 113) << 10) + roundHalfEven(magnitude * 2 ** (137 - exponent)); // 1024 to 2048, carry included
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  return above > 0.5 || (above === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
