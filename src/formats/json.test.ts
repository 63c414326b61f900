import { expect, test, vi } from "vitest";
import { parseJson } from "./json.ts";

test("gives what JSON says, null and false too, and asks for nothing else", () => {
  const otherwise = vi.fn();
  for (const value of [{ a: [1] }, null, false, 0, ""]) {
    expect(parseJson(JSON.stringify(value), otherwise)).toEqual(value);
  }
  expect(otherwise).not.toHaveBeenCalled();
});

test("gives what it is told to where a text is no JSON, and passes an error on", () => {
  expect(parseJson("a", () => undefined)).toBeUndefined();
  const complain = (fault: string, cause: unknown) => {
    throw new Error(`bad: ${fault}`, { cause });
  };
  expect(() => parseJson("{", complain)).toThrow(/^bad: .*JSON/);
});
