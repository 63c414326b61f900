import { describe, expect, test } from "vitest";
import { add, attention, dropout, input, parameter, softmaxCrossEntropy } from "./build.ts";
import { differentiate } from "./differentiate.ts";
import { dropoutSites, fillDropoutMask } from "./dropout-mask.ts";
import { makeGraph } from "./graph.ts";

const COUNT = 1_000_000;

function maskOf(count: number, rate: number, seed: number, site: number): Float32Array {
  const mask = new Float32Array(count);
  fillDropoutMask(mask, rate, seed, site);
  return mask;
}

/** Whether a frequency among COUNT trials is within four standard deviations, and 1e-4, of its probability. */
function expectFrequency(occurrences: number, probability: number): void {
  const deviation = Math.sqrt((probability * (1 - probability)) / COUNT);
  expect(Math.abs(occurrences / COUNT - probability)).toBeLessThan(4 * deviation + 1e-4);
}

function count(mask: Float32Array, condition: (i: number) => boolean): number {
  return mask.reduce((total, _, i) => total + Number(condition(i)), 0);
}

describe("fillDropoutMask", () => {
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

  test("drops nothing at a rate of 0 and next to nothing at a tiny one", () => {
    expect(maskOf(1000, 0, 1, 0)).toEqual(new Float32Array(1000).fill(1));
    expect(count(maskOf(COUNT, 1e-10, 1, 0), (i) => i === 0)).toBe(1);
    expect(maskOf(1000, 1e-10, 1, 0)).toEqual(new Float32Array(1000).fill(1));
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
