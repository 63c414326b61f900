import { describe, expect, test } from "vitest";
import {
  decisionShares,
  shares,
  tokenShares,
  UNLABELLED,
  weighByLabel,
  weighPositives,
  weighTokens,
} from "./class-weights.ts";
import type { Feature } from "./task.ts";

const feature = (label: number, weight?: number): Feature => ({
  sequences: [],
  target: Int32Array.of(label),
  place: "here",
  weight,
});
const weightsOf = (features: readonly Feature[]) => features.map(({ weight = 1 }) => weight);

describe("balanced", () => {
  test("is scikit-learn's n / (labels × count): 6 / (3 × [3, 2, 1])", () => {
    const features = [0, 0, 0, 1, 1, 2].map((label) => feature(label));
    const expected = [6 / 9, 6 / 9, 6 / 9, 1, 1, 2];
    expect(weightsOf(weighByLabel(features, ["a", "b", "c"], "balanced"))).toEqual(expected);
  });

  test("leaves a label that does not occur out of account, as one that nothing is multiplied with", () => {
    expect(weightsOf(weighByLabel([feature(0), feature(0)], ["a", "b"], "balanced"))).toEqual([0.5, 0.5]);
  });

  test("counts texts, not the windows over them", () => {
    const features = [feature(0, 0.5), feature(0, 0.5), feature(1), feature(1), feature(1)];
    const weights = weightsOf(weighByLabel(features, ["a", "b"], "balanced"));
    expect(weights).toEqual([1, 1, 4 / 6, 4 / 6, 4 / 6]);
  });
});

describe("stated weights", () => {
  const labels = ["ham", "spam", "a=b"];
  const features = [0, 1, 2].map((label) => feature(label));

  test("are those of the labels, 1 where nothing is said", () => {
    expect(weightsOf(weighByLabel(features, labels, "spam=2, ham=0.5"))).toEqual([0.5, 2, 1]);
    expect(weightsOf(weighByLabel(features, labels, "a=b=3"))).toEqual([1, 1, 3]);
    expect(weightsOf(weighByLabel([feature(1, 0.25)], labels, "spam=2"))).toEqual([0.5]);
  });

  test("are refused for a label that is none, with those that are", () => {
    expect(() => weighByLabel(features, labels, "spam=2,eggs=1")).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", expected: '"ham", "spam", "a=b"', received: '"eggs"' }),
    );
  });

  test.each([
    "",
    "spam",
    "spam=0",
    "spam=-1",
    "spam=",
    "spam=NaN",
    "spam=Infinity",
    "spam=1,",
    "Balanced",
  ])("%j is refused", (weights) => {
    expect(() => weighByLabel(features, labels, weights)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining('"ham=2"') }),
    );
  });
});

test("shares of parts of a batch make PyTorch's weighted mean: Σ w x / Σ w", () => {
  const batch = [feature(0, 2), feature(1, 0.5), feature(0), feature(1, 4)];
  const losses = [0.3, 1.5, 0.1, 2];
  const parts = [batch.slice(0, 1), batch.slice(1)];
  const all = parts.flatMap((part) => Array.from(shares(part, batch)));
  const mean = losses.reduce((sum, loss, i) => sum + loss * all[i], 0);
  expect(mean).toBeCloseTo((2 * 0.3 + 0.5 * 1.5 + 0.1 + 4 * 2) / 7.5, 6);
  expect(Array.from(shares([feature(0), feature(1)], [feature(0), feature(1)]))).toEqual([0.5, 0.5]);
});

describe("of tokens", () => {
  const sentence = (...tags: number[]): Feature => ({ sequences: [], target: Int32Array.from(tags), place: "here" });
  const features = [sentence(UNLABELLED, 0, 0, 1, UNLABELLED), sentence(UNLABELLED, 0, UNLABELLED)];

  test("each has that of its own label, one without a label none", () => {
    const weights = weighTokens(features, ["O", "B-X"], "B-X=4").map((feature) => Array.from(feature.weights ?? []));
    expect(weights).toEqual([
      [0, 1, 1, 4, 0],
      [0, 1, 0],
    ]);
  });

  test("balanced counts tokens: 4 / (2 × [3, 1])", () => {
    const [{ weights }] = weighTokens(features, ["O", "B-X"], "balanced");
    expect(weights).toEqual(Float32Array.of(0, 4 / 6, 4 / 6, 2, 0));
  });

  test("parts of a batch make the weighted mean over the tokens with a label", () => {
    const batch = weighTokens(features, ["O", "B-X"], "B-X=4");
    expect(tokenShares(batch.slice(0, 1), batch)).toEqual(Float32Array.of(0, 1 / 7, 1 / 7, 4 / 7, 0));
    expect(tokenShares(batch.slice(1), batch)).toEqual(Float32Array.of(0, 1 / 7, 0));
    expect(tokenShares(features.slice(1), features)).toEqual(Float32Array.of(0, 1 / 4, 0));
    expect(tokenShares([sentence(UNLABELLED)], [sentence(UNLABELLED)])).toEqual(Float32Array.of(0));
  });
});

describe("where any label may apply", () => {
  const text = (target: number[], weight?: number): Feature => ({
    sequences: [],
    target: Float32Array.from(target),
    place: "here",
    weight,
  });

  test("a label's weight counts where it applies", () => {
    const [{ weights }] = weighPositives([text([1, 0, 1])], ["a", "b", "c"], "a=3,b=5");
    expect(weights).toEqual(Float32Array.of(3, 1, 1));
  });

  test("balanced is texts without the label for each with it, of texts and not of windows", () => {
    const features = [text([1, 0, 1], 0.5), text([1, 0, 1], 0.5), text([0, 0, 1]), text([0, 0, 1])];
    const weights = weighPositives(features, ["a", "b", "c"], "balanced").map((feature) => feature.weights);
    const [withA, without] = [Float32Array.of(2, 1, 1), Float32Array.of(1, 1, 1)];
    expect(weights).toEqual([withA, withA, without, without]);
  });

  test("parts of a batch make PyTorch's mean with pos_weight over texts and labels", () => {
    const batch = weighPositives([text([1, 0]), text([0, 1]), text([1, 1])], ["a", "b"], "a=3");
    const parts = [...decisionShares(batch.slice(0, 1), batch), ...decisionShares(batch.slice(1), batch)];
    [3, 1, 1, 1, 3, 1].forEach((weight, i) => {
      expect(parts[i]).toBeCloseTo(weight / 6, 7);
    });
    expect(parts).toHaveLength(6);
    expect(decisionShares([text([1, 0])], [text([1, 0])])).toEqual(Float32Array.of(0.5, 0.5));
  });
});
