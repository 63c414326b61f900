import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { showProgress } from "./progress.ts";

const { isTTY, columns } = process.stderr;
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

test("a bar leaves the terminal as it is, however it ends, and is no wider", () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  Object.assign(process.stderr, { isTTY: true, columns: 60 });
  const progress = showProgress("training", 1000);
  progress.update(500, "note ".repeat(20));
  vi.advanceTimersByTime(1000);
  const drawn = [...written];
  progress.stop();
  Object.assign(process.stderr, { isTTY, columns });
  expect(drawn.join("")).toContain("500/1000  note");
  expect(drawn.join("")).not.toContain("\x1b[?"); // modes, such as no cursor and no wrapping
  expect(Math.max(...drawn.map(({ length }) => length))).toBe(60);
});
