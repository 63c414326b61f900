/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna 2018), seeded by hashing a path of keys, so that
 * `Random.of(seed, "dropout", step)` is a stream of its own and needs no state kept between steps.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(hash: number) {
    const next = () => {
      hash = (hash + 0x9e3779b9) | 0;
      return mix(hash);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // the all-zero state is the generator's only fixed point
  }

  /** An independent stream for a path of keys; numbers are taken as unsigned 53-bit integers. */
  static of(...keys: readonly (number | string)[]): Random {
    let hash = 0x243f6a88;
    for (const key of keys) {
      if (typeof key === "string") {
        for (let i = 0; i < key.length; i++) hash = mix(hash ^ key.charCodeAt(i));
        hash = mix(hash ^ 0x55555555);
      } else {
        hash = mix(mix(hash ^ (key >>> 0)) ^ Math.floor(key / 2 ** 32));
      }
    }
    return new Random(hash);
  }

  /** The next 32 random bits, as an unsigned integer. */
  uint32(): number {
    const b5 = Math.imul(this.#b, 5);
    const result = Math.imul((b5 << 7) | (b5 >>> 25), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return (this.uint32() * 0x200000 + (this.uint32() >>> 11)) / 2 ** 53;
  }

  /** A uniform integer in [0, bound), without modulo bias. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal (Box and Muller 1958; the second value of each pair is dropped to keep no state). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher and Yates) and returns the array. */
  shuffle<A extends { length: number; [index: number]: unknown }>(items: A): A {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
    return items;
  }
}

/** A 32-bit finaliser with full avalanche (the constants are those of MurmurHash3). */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
