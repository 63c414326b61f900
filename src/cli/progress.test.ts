import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { showProgress } from "./progress.ts";

let lines: string[];
beforeEach(() => {
  lines = [];
  vi.useFakeTimers();
  vi.spyOn(console, "error").mockImplementation((line) => lines.push(line));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ["from the beginning", 0, 250],
  ["from where a training resumes", 500, 625],
])("the time left is judged by what was done meanwhile, %s", (_, from, done) => {
  const progress = showProgress("training", 1000, from);
  vi.advanceTimersByTime(10_000);
  progress.update(from, "note");
  expect(lines).toEqual([`training ${from}/1000  note  `]);
  vi.advanceTimersByTime(10_000);
  progress.update(done, "note");
  expect(lines[1]).toBe(`training ${done}/1000  note  1m00s left`);
  vi.advanceTimersByTime(60_000);
  progress.update(1000, "note");
  expect(lines[2]).toBe("training 1000/1000  note  1m20s taken");
});
