import { expect, test, vi } from "vitest";
import { ENDS_EARLY, parseJson } from "./json.ts";

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

test("says of a text that is cut short that it ends too early, and of others what is wrong", () => {
  const faultOf = (text: string) => parseJson(text, (fault) => fault);
  const text = '{"a": [1, "x", true], "b": {"c": null}}';
  for (let length = 1; length < text.length; length++) expect(faultOf(text.slice(0, length))).toBe(ENDS_EARLY);
  for (const other of ["", '{"a" 1}', "[1,]", "a"]) expect(faultOf(other)).not.toBe(ENDS_EARLY);
});
