import fc from "fast-check";
import { expect, test } from "vitest";
import { bestPlaces, windowStarts } from "./windows.ts";

/** Windows over `length` tokens, built by walking over them. */
function walk(length: number, size: number, stride: number) {
  const windows: number[][] = [];
  for (let start = 0; ; start += size - stride) {
    const end = Math.min(start + size, length);
    windows.push(Array.from({ length: end - start }, (_, i) => start + i));
    if (end === length) return windows;
  }
}

const shapes = fc
  .record({ length: fc.integer({ min: 1, max: 60 }), size: fc.integer({ min: 1, max: 20 }) })
  .chain((shape) => fc.record({ ...constants(shape), stride: fc.integer({ min: 0, max: shape.size - 1 }) }));

function constants({ length, size }: { length: number; size: number }) {
  return { length: fc.constant(length), size: fc.constant(size) };
}

test("windows start where the walk has them", () => {
  fc.assert(
    fc.property(shapes, ({ length, size, stride }) => {
      const windows = walk(length, size, stride);
      expect(windowStarts(windows, stride)).toEqual(windows.map(([first]) => first));
    }),
  );
});

test("every token has one place, and no other window shows more around it", () => {
  fc.assert(
    fc.property(shapes, ({ length, size, stride }) => {
      const windows = walk(length, size, stride);
      const places = bestPlaces(windows, stride);
      expect(places.map(({ window, index }) => windows[window][index])).toEqual(
        Array.from({ length }, (_, token) => token),
      );
      const around = (tokens: number[], token: number) =>
        Math.min(tokens.indexOf(token), tokens.length - 1 - tokens.indexOf(token));
      places.forEach(({ window }, token) => {
        const most = Math.max(...windows.filter((w) => w.includes(token)).map((w) => around(w, token)));
        expect(around(windows[window], token)).toBe(most);
      });
    }),
  );
});

test("a text in one window", () => {
  expect(bestPlaces([{ length: 3 }], 0)).toEqual([
    { window: 0, index: 0 },
    { window: 0, index: 1 },
    { window: 0, index: 2 },
  ]);
});
