import { describe, expect, test } from "vitest";
import { add, attention, dropout, input, parameter, softmaxCrossEntropy } from "./build.ts";
import { differentiate } from "./differentiate.ts";
import { dropoutSites, fillDropoutMask } from "./dropout-mask.ts";
import { makeGraph } from "./graph.ts";

const COUNT = 1_000_000;
/** How far the realised rate, a multiple of 2^-16, is from the one asked for; its square is up to twice as far. */
const RATE_ERROR = 2 ** -16;
/** Positions that one counter of the generator serves. */
const POSITIONS = 8;

function maskOf(count: number, rate: number, seed: number, site: number): Float32Array {
  const mask = new Float32Array(count);
  fillDropoutMask(mask, rate, seed, site);
  return mask;
}

/** Whether a frequency among COUNT trials is within four standard deviations of its probability. */
function expectFrequency(occurrences: number, probability: number): void {
  const deviation = Math.sqrt((probability * (1 - probability)) / COUNT);
  expect(Math.abs(occurrences / COUNT - probability)).toBeLessThan(4 * deviation + RATE_ERROR);
}

function count(mask: Float32Array, condition: (i: number) => boolean): number {
  return mask.reduce((total, _, i) => total + Number(condition(i)), 0);
}

/** Philox4x32-10 as its authors define it, in integers of any size: the oracle. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  const low = (x: bigint) => x & 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(product1 >> 32n) ^ c1 ^ k0, low(product1), (product0 >> 32n) ^ c3 ^ k1, low(product0)];
    k0 = low(k0 + 0x9e3779b9n);
    k1 = low(k1 + 0xbb67ae85n);
  }
  return [c0, c1, c2, c3].map(Number);
}

/** The 16 bits of each of a mask's positions. */
function halvesOf(count: number, seed: number, site: number): number[] {
  const counters = Array.from({ length: Math.ceil(count / POSITIONS) }, (_, i) => [i, 0, 0, 0]);
  const words = counters.flatMap((counter) => philox(counter, [seed, site]));
  return words.flatMap((word) => [word & 0xffff, word >>> 16]).slice(0, count);
}

/** Known answers that come with the authors' library Random123 (`kat_vectors`): counter, key, words. */
const KNOWN_ANSWERS = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(KNOWN_ANSWERS)("the oracle's words of counter %j and key %j are the published %j", (counter, key, words) => {
  expect(philox(counter, key)).toEqual(words);
});

describe("fillDropoutMask", () => {
  test("drops at the published words of counter 0 and key (0, 0): the halves below a threshold", () => {
    const halves = [0xe8d5, 0x6627, 0xc58d, 0xe169, 0xac4c, 0xbc57, 0xdbd8, 0x9b00];
    halves.forEach((half, i) => {
      expect(maskOf(POSITIONS, half / 0x10000, 0, 0)[i]).not.toBe(0);
      expect(maskOf(POSITIONS, (half + 1) / 0x10000, 0, 0)[i]).toBe(0);
    });
  });

  test.each([
    ["a block of the kernel's memory and a bit", 16_384 + 45, 0.1, 7, 3],
    ["every bit of the key", 1000, 0.5, 0xffffffff, 0xfedcba98],
    ["less than one counter", 5, 0.5, 1, 0],
    ["the highest rate that is told from 1", 1000, 1 - 2 ** -16, 1, 0],
    ["a rate that would round to 1", 1000, 1 - 2 ** -20, 1, 0],
  ])("is what the oracle says: %s", (_, length, rate, seed, site) => {
    const threshold = Math.min(Math.round(rate * 0x10000), 0xffff);
    const expected = halvesOf(length, seed, site).map((half) => (half < threshold ? 0 : 1 / (1 - rate)));
    expect(maskOf(length, rate, seed, site)).toEqual(Float32Array.from(expected));
  });

  test.each([0.01, 0.1, 0.3, 0.5, 0.9])("drops at a rate of %d, places near each other independently", (rate) => {
    const mask = maskOf(COUNT, rate, 1, 0);
    const kept = Math.fround(1 / (1 - rate));
    expect(mask.every((factor) => factor === 0 || factor === kept)).toBe(true);
    expectFrequency(
      count(mask, (i) => mask[i] === 0),
      rate,
    );
    for (const distance of [1, 2, 7]) {
      expectFrequency(
        count(mask, (i) => mask[i] === 0 && mask[(i + distance) % COUNT] === 0),
        rate ** 2,
      );
    }
  });

  test("is a function of seed, site and place alone", () => {
    const mask = maskOf(1000, 0.1, 7, 3);
    expect(maskOf(1000, 0.1, 7, 3)).toEqual(mask);
    expect(maskOf(400, 0.1, 7, 3)).toEqual(mask.subarray(0, 400));
    const used = new Float32Array(1000).fill(5);
    fillDropoutMask(used, 0.1, 7, 3);
    expect(used).toEqual(mask);
  });

  test.each([
    ["sites", 7, 4],
    ["seeds", 8, 3],
  ])("of other %s is independent", (_, seed, site) => {
    const mask = maskOf(COUNT, 0.1, 7, 3);
    const other = maskOf(COUNT, 0.1, seed, site);
    expectFrequency(
      count(mask, (i) => mask[i] === 0 && other[i] === 0),
      0.1 ** 2,
    );
  });

  test("drops nothing at a rate of 0 or of less than 2^-17", () => {
    for (const rate of [0, 1e-8]) expect(maskOf(COUNT, rate, 1, 0).every((factor) => factor === 1)).toBe(true);
  });

  test("fills an empty mask", () => {
    expect(maskOf(0, 0.5, 1, 0)).toEqual(new Float32Array(0));
  });
});

describe("dropoutSites", () => {
  const x = input("x", "float32", ["T", 4]);
  const lengths = input("lengths", "int32", ["B"]);
  const first = dropout(x, 0.1);
  const undropped = attention({ query: first, key: first, value: first, lengths }, { heads: 2 });
  const second = attention({ query: undropped, key: first, value: first, lengths }, { heads: 2, dropout: 0.2 });
  const third = dropout(add(second, first), 0.3);
  const sites = new Map([
    [first.node, 0],
    [second.node, 1],
    [third.node, 2],
  ]);

  test("numbers the nodes that drop something in the graph's order", () => {
    expect(dropoutSites(makeGraph({ third }))).toEqual(sites);
    expect(dropoutSites(makeGraph({ x })).size).toBe(0);
  });

  test("are the same with gradients, so that both draw the same masks", () => {
    const labels = input("labels", "int32", ["T"]);
    const loss = softmaxCrossEntropy(third, labels, input("rowWeights", "float32", ["T"]));
    const [dx] = differentiate(loss, [x]);
    expect(dropoutSites(makeGraph({ loss, dx }))).toEqual(sites);
  });

  test("are none where the rate is 0", () => {
    expect(dropoutSites(makeGraph({ y: dropout(parameter("p", [2, 3], "ones"), 0) })).size).toBe(0);
  });
});
