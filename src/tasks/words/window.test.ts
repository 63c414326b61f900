import fc from "fast-check";
import { expect, test } from "vitest";
import { windowAround } from "./window.ts";

test.each([
  { length: 9, first: 4, last: 4, room: 20, window: [0, 9] },
  { length: 9, first: 4, last: 4, room: 3, window: [3, 6] },
  { length: 9, first: 4, last: 5, room: 6, window: [2, 8] },
  { length: 9, first: 0, last: 0, room: 3, window: [0, 3] },
  { length: 9, first: 8, last: 8, room: 3, window: [6, 9] },
  { length: 9, first: 3, last: 6, room: 4, window: [3, 7] },
])("around $first to $last of $length with room for $room: $window", ({ length, first, last, room, window }) => {
  expect(windowAround(length, first, last, room)).toEqual(window);
});

test("a window is full, inside the text and holds what it is for", () => {
  const numbers = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60));
  fc.assert(
    fc.property(numbers, ([first, more, after, spare]) => {
      const [last, length, room] = [first + more, first + more + 1 + after, more + 1 + spare];
      const [start, end] = windowAround(length, first, last, room);
      expect(end - start).toBe(Math.min(length, room));
      expect(start >= 0 && start <= first && last < end && end <= length).toBe(true);
    }),
  );
});
