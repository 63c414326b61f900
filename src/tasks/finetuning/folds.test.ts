import { expect, test } from "vitest";
import { Random } from "../../base/random.ts";
import { countGroups, foldsOf } from "./folds.ts";

const alone = (count: number): { group?: string }[] => Array.from({ length: count }, () => ({}));

test("examples without a group are dealt out one by one, always alike", () => {
  const folds = foldsOf(alone(20), 3);
  const order = Random.of("folds").shuffle(Int32Array.from({ length: 20 }, (_, i) => i));
  order.forEach((example, place) => {
    expect(folds[example]).toBe(place % 3);
  });
  expect(foldsOf(alone(20), 3)).toEqual(folds);
});

test("a group is in one fold, and folds are as equal as groups let them be", () => {
  // Groups of 4, 3, 2 and 1 questions, mixed up, and 5 without one.
  const groups = [..."abcdabcaba"].map((group) => ({ group }));
  const examples = [...groups, ...alone(5)];
  expect(countGroups(examples)).toBe(9);
  for (const count of [2, 3, 4]) {
    const folds = foldsOf(examples, count);
    for (const name of "abcd") {
      expect(new Set(folds.filter((_, i) => examples[i].group === name)).size).toBe(1);
    }
    const sizes = Array.from({ length: count }, (_, fold) => folds.filter((other) => other === fold).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(4); // the largest group
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  }
});

test("groups of one are the same as no groups", () => {
  const named = Array.from({ length: 20 }, (_, i) => ({ group: String(i) }));
  expect(foldsOf(named, 4)).toEqual(foldsOf(alone(20), 4));
});
